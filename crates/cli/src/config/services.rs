//! `[[services]]`: the team's other services, what each may ask, and the digests of their secrets.

use menjin_core::{
    Permission, Service, ServiceId,
    secret::{same, sha256},
};

use super::{
    keys::{self, SERVICES},
    problem::{Place, Problems},
    reader::Reader,
    secrets,
    settings::Layer,
};

/// Secrets that everybody tries first.
const WELL_KNOWN: [&str; 14] = [
    "",
    "123456",
    "12345678",
    "admin",
    "change-me",
    "change_me",
    "changeme",
    "dev-secret",
    "example",
    "menjin",
    "password",
    "secret",
    "service-secret",
    "test",
];

/// What `sha256sum` adds to a secret that was typed, or came out of a file.
const ENDS: [&str; 3] = ["", "\n", "\r\n"];

/// How many hex digits a SHA-256 has.
const DIGITS: usize = 64;

/// What follows a complaint about a digest.
const WANTED: &str = "set it to the SHA-256 of the secret, as `menjin service add NAME --may .. \
                      --as-config` makes it";

/// Reads every section. `menjin dev` alone, which needs no file, may have secrets that everybody
/// knows.
pub(super) fn read(settings: &Layer, problems: &mut Problems) -> Vec<Service> {
    let is_dev = settings.root.place == Place::Command;
    let mut found: Vec<(Service, Place)> = Vec::new();
    for scope in settings.list(SERVICES.name) {
        let mut reader = Reader::new(scope, problems);
        let id = reader.required("id", "set it to a name such as repairs", ServiceId::parse);
        let secret_digest = reader.required("secret_digest", WANTED, digest);
        let may = may(&mut reader);
        let (Some(id), Some(secret_digest)) = (id, secret_digest) else {
            continue;
        };
        if !is_dev && is_well_known(&secret_digest, &id) {
            let wrong = format!("is the digest of a secret that anybody would guess: {WANTED}");
            reader.refuse("secret_digest", wrong);
        }
        let place = reader.place("id").clone();
        if let Some((_, first)) = found.iter().find(|(other, _)| other.id == id) {
            reader.refuse("id", format!("was given before, at {first}: rename one"));
        }
        let service = Service {
            id,
            secret_digest,
            former: None,
            may,
        };
        found.push((service, place));
    }
    found.into_iter().map(|(service, _)| service).collect()
}

fn digest(text: &str) -> Result<[u8; 32], String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let all_alike = text.bytes().zip(text.bytes().skip(1)).all(|(a, b)| a == b);
    if text.is_empty() {
        Err(format!("is empty: {WANTED}"))
    } else if secrets::is_placeholder(text) || all_alike {
        Err(format!("is an example: {WANTED}"))
    } else if is_hex && text.len() == DIGITS {
        bytes(text).ok_or_else(|| format!("is no digest: {WANTED}"))
    } else if is_hex {
        Err(format!(
            "has {} hex digits, and a SHA-256 has {DIGITS}: {WANTED}",
            text.len()
        ))
    } else if text.len() == DIGITS {
        Err("holds characters that are no hex digits: copy it again".to_owned())
    } else {
        Err(format!(
            "is no digest, and may be the secret itself, which must not stand here: {WANTED}"
        ))
    }
}

/// The bytes of hex digits.
fn bytes(digits: &str) -> Option<[u8; 32]> {
    let pairs = (0..digits.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// A digest as a configuration has it.
pub(crate) fn hex(digest: &[u8; 32]) -> String {
    digest
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Whether somebody who knows no secret would get in: by a word of the list, or by the service's own
/// name.
fn is_well_known(digest: &[u8; 32], id: &ServiceId) -> bool {
    let mut words = WELL_KNOWN.into_iter().chain([id.as_str()]);
    words.any(|word| {
        let guessed = |end| sha256(format!("{word}{end}").as_bytes());
        ENDS.into_iter().any(|end| same(&guessed(end), digest))
    })
}

fn may(reader: &mut Reader<'_>) -> Vec<Permission> {
    let before = reader.list("may", permission);
    if !reader.is_filled("may") {
        reader.refuse("may", format!("is missing: list some of {}", words()));
    } else if reader.is_empty_list("may") {
        let wrong = format!(
            "is empty, and so the service may do nothing: list some of {}",
            words()
        );
        reader.refuse("may", wrong);
    }
    let wanted = Permission::ALL.into_iter();
    wanted.filter(|word| before.contains(word)).collect()
}

fn permission(word: &str) -> Result<Permission, String> {
    Permission::parse(word).ok_or_else(|| {
        let all = Permission::ALL.map(Permission::as_str);
        match keys::nearest(word, &all) {
            Some(near) => format!("is no such word; did you mean \"{near}\"?"),
            None => format!("is no such word: there are {}", words()),
        }
    })
}

/// Every word, for a sentence.
fn words() -> String {
    Permission::ALL.map(Permission::as_str).join(", ")
}
