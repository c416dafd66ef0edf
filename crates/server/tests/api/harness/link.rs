//! The way to PostgreSQL, which can be cut.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::{TestApp, database::server};

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// They reach the database.
    Up,
    /// They are closed at once, those that are open too.
    Cut,
    /// They stay open, and nothing comes through.
    Silent,
}

/// A port of its own in front of the database.
pub(crate) struct Way {
    address: SocketAddr,
    link: watch::Sender<Link>,
    accepting: JoinHandle<()>,
}

impl Way {
    pub(crate) async fn open(link: Link) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = server().rsplit_once('@').unwrap().1.to_owned();
        let address = listener.local_addr().unwrap();
        let (link, seen) = watch::channel(link);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), seen.clone()));
            }
        });
        Self {
            address,
            link,
            accepting,
        }
    }

    pub(crate) fn set(&self, link: Link) {
        self.link.send_replace(link);
    }

    /// Another server on that app's database, which has not asked for anything yet.
    pub(crate) async fn to(&self, app: &TestApp) -> TestApp {
        let (_, name) = app.store_url.rsplit_once('/').unwrap();
        let store_url = format!("postgres://postgres@{}/{name}", self.address);
        app.assembled(app.options.clone(), &store_url, &app.wechat)
            .await
    }

    /// Cuts it for good.
    pub(crate) fn end(&self) {
        self.accepting.abort();
        self.set(Link::Cut);
    }
}

async fn carry(mut near: TcpStream, target: String, mut link: watch::Receiver<Link>) {
    if *link.borrow_and_update() == Link::Up {
        let mut far = TcpStream::connect(target).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = link.changed() => {}
        }
    }
    while *link.borrow_and_update() == Link::Silent {
        if link.changed().await.is_err() {
            return;
        }
    }
}
