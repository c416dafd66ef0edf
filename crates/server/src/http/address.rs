//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use ipnet::IpNet;

use crate::app::App;

/// The address of whoever connected; put into every request by [`crate::serve`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The client's address: the connection's, or what trusted proxies say of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let unspecified = || SocketAddr::from(([0, 0, 0, 0], 0));
        let peer = parts
            .extensions
            .get::<Peer>()
            .map_or_else(unspecified, |peer| peer.0);
        let said = parts.headers.get_all("x-forwarded-for");
        let said = said.iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(',')).collect();
        Ok(Self(client(peer.ip(), &said, &app.options.trusted_proxies)))
    }
}

/// Reads the chain of proxies from the right: each address was written by the one after it, so it
/// is believed as long as that one is trusted, and what anybody wrote further left is not.
fn client(peer: IpAddr, said: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut client = peer.to_canonical();
    for hop in said.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = parse(hop.trim()) else {
            break;
        };
        client = address.to_canonical();
    }
    client
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse().ok();
    bare.or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, said: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client(peer.parse().unwrap(), said, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(seen("192.0.2.1", &["10.0.0.1"], &[]), "192.0.2.1");
    }

    #[test]
    fn the_chain_is_read_from_the_right() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            seen("10.0.0.1", &["6.6.6.6", "192.0.2.7"], trusted),
            "192.0.2.7"
        );
        assert_eq!(
            seen("10.0.0.1", &["6.6.6.6", "192.0.2.7", "10.0.0.2"], trusted),
            "192.0.2.7"
        );
        assert_eq!(seen("10.0.0.1", &[], trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["nonsense"], trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.9"], trusted), "10.0.0.9");
        assert_eq!(
            seen("::ffff:10.0.0.1", &["192.0.2.7:4711"], trusted),
            "192.0.2.7"
        );
        assert_eq!(
            seen("10.0.0.1", &["[2001:db8::1]:80"], trusted),
            "2001:db8::1"
        );
    }
}
