//! One connection, with the ways to end it that a well-behaved server does not have.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

const OPEN: u8 = 0;
const HUNG_UP: u8 = 1;
const RESET: u8 = 2;

/// A request's hold on the connection that it came by.
#[derive(Clone)]
pub(crate) struct Line {
    state: Arc<AtomicU8>,
    stopping: watch::Receiver<bool>,
}

impl Line {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self {
            state: Arc::new(AtomicU8::new(OPEN)),
            stopping,
        }
    }

    /// Lets `time` pass, or less if the simulator stops.
    pub(crate) async fn wait(&self, time: Duration) {
        let mut stopping = self.stopping.clone();
        // Either outcome is a reason to go on.
        let _ = timeout(time, stopping.wait_for(|stopping| *stopping)).await;
    }

    /// Ends the connection instead of answering.
    pub(crate) fn hang_up(&self) {
        self.state.store(HUNG_UP, Ordering::Release);
    }

    /// Ends the connection instead of answering, with a TCP reset.
    pub(crate) fn reset(&self) {
        self.state.store(RESET, Ordering::Release);
    }
}

/// The socket under a [`Line`]: once the line is ended nothing more is written to it.
pub(crate) struct Socket {
    stream: TcpStream,
    state: Arc<AtomicU8>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, line: &Line) -> Self {
        Self {
            stream,
            state: Arc::clone(&line.state),
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.state.load(Ordering::Acquire) {
            OPEN => return Ok(()),
            // Closing without lingering is what makes the kernel send RST in place of FIN.
            RESET => SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?,
            _ => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A FIN before the RST would look like an orderly end.
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
