//! HTTP/1.1, as far as one server and its clients need it: a request is bytes, and so is its reply.
//!
//! A call is driven by the task that makes it, from the kept connection to the last byte of the reply.
//! How replies are framed is RFC 9112, sections 6 and 7; heads are read by `httparse`.

mod connection;
mod framing;
mod idle;

use http::{StatusCode, Uri};

use self::{connection::Connection, idle::Idle};
use crate::{connect::Connector, error::Error};

/// Makes calls to one origin, over connections that are kept between them.
pub(crate) struct Http {
    connector: Connector,
    /// Scheme, host and port; a path counts for nothing.
    origin: Uri,
    idle: Idle,
}

impl Http {
    /// No connection yet; the first call opens one.
    pub(crate) fn new(connector: Connector, origin: Uri) -> Self {
        Self {
            connector,
            origin,
            idle: Idle::default(),
        }
    }

    /// Sends a request, once, and lets `read` make sense of the status and the body of its reply.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if no connection came about in time, [`Error::Unreachable`] if there is none or
    /// it broke, [`Error::Garbled`] for a reply that is not HTTP or is too long, and what `read` gives.
    pub(crate) async fn exchange<T>(
        &self,
        request: &[u8],
        read: impl FnOnce(StatusCode, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.send(request).await?;
        let reply = connection.receive().await?;
        let outcome = read(reply.status, connection.body(&reply));
        if reply.keep {
            self.idle.put(connection);
        }
        outcome
    }

    /// The connection that took the request. A kept one may turn out closed; as long as it has not taken
    /// the whole of the request, nobody has understood any of it, and another connection is tried.
    async fn send(&self, request: &[u8]) -> Result<Connection, Error> {
        while let Some(mut kept) = self.idle.take() {
            if kept.is_quiet().await && kept.send(request).await.is_ok() {
                return Ok(kept);
            }
        }
        // In a box, or every call would be as large as one that connects.
        let stream = Box::pin(self.connector.open(&self.origin)).await?;
        let mut new = Connection::new(stream);
        new.send(request).await.map_err(Error::unreachable)?;
        Ok(new)
    }
}
