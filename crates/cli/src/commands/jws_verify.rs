//! `menjin jws-verify`: a door for test vectors, to the code that checks bearers.

use std::{io::BufRead, path::Path};

use anyhow::Context;
use menjin_core::{json, jwk::VerifyingKey, jws::Compact};

use crate::output::{Failure, complain, say};

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let text = std::fs::read(path).with_context(|| format!("{shown} could not be read"))?;
    let key = match read_key(&text) {
        Ok(key) => Some(key),
        Err(reason) => {
            complain(format_args!("{shown} is no key to check with: {reason}"));
            None
        }
    };
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.context("standard input could not be read")?;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let good = key.as_ref().is_some_and(|key| is_good(key, line));
        say(if good { "ok" } else { "refused" })?;
    }
    Ok(())
}

fn read_key(text: &[u8]) -> Result<VerifyingKey, String> {
    let jwk = json::parse_object(text).map_err(|error| error.to_string())?;
    VerifyingKey::from_jwk(&jwk).map_err(|reason| reason.to_string())
}

fn is_good(key: &VerifyingKey, line: &[u8]) -> bool {
    let verified = |token| key.verify(&Compact::parse(token).ok()?).ok();
    std::str::from_utf8(line).ok().and_then(verified).is_some()
}
