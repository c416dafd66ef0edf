//! Numbers and addresses as they are kept: keyed digests to count by, sealed where they must come back.

use menjin_core::{Identity, Phone, secret::MasterKeys};

/// What a number or an address is counted by. Its turn ([`menjin_store::Tx::turn_take`]) has this name
/// too. An address that is spelled in other cases may be the same box, and is counted as the same.
pub(crate) fn digest(keys: &MasterKeys, contact: &str) -> [u8; 32] {
    keys.digest("contact", &[&contact.to_ascii_lowercase()])
}

/// What the messages of somebody who deleted themselves are counted under: whoever comes back with the same
/// openid has not got a fresh allowance by it. It names nobody without the key.
pub(crate) fn former(keys: &MasterKeys, identity: &Identity) -> String {
    let parts = [identity.appid.as_str(), identity.openid.as_str()];
    hex(&keys.digest("former asker", &parts))
}

fn hex(digest: &[u8; 32]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Seals a number or an address into the row of the verification `id`.
pub(crate) fn seal(keys: &MasterKeys, id: &[u8; 16], contact: &str) -> Vec<u8> {
    keys.seal(&place(id), contact.as_bytes())
}

/// Opens what [`seal`] sealed; `None` if it cannot be opened any more.
pub(crate) fn open(keys: &MasterKeys, id: &[u8; 16], sealed: &[u8]) -> Option<String> {
    let plain = keys.open(&place(id), sealed).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// As [`open`], for a phone number.
pub(crate) fn open_phone(keys: &MasterKeys, id: &[u8; 16], sealed: &[u8]) -> Option<Phone> {
    Phone::stored(&open(keys, id, sealed)?)
}

fn place(id: &[u8; 16]) -> String {
    format!("verifications/contact/{:032x}", u128::from_be_bytes(*id))
}
