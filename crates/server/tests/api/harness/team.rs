//! The team's other services.

use menjin_core::{Permission, Service, ServiceId, secret::sha256};

/// One of the team's services, whose secret is `<id>-secret`.
pub(crate) fn service(id: &str, may: &[Permission]) -> Service {
    Service {
        id: ServiceId::parse(id).unwrap(),
        secret_digest: sha256(format!("{id}-secret").as_bytes()),
        former: None,
        may: may.to_vec(),
    }
}
