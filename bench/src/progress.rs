//! What a person who waits is told, on standard error.

use std::io::{self, Write};

/// Says what is done now.
pub(crate) fn say(what: &str) {
    // Nobody has to be listening.
    let _ = writeln!(io::stderr(), "{what}");
}
