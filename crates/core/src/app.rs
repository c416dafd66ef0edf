//! A mini program.

use crate::text::text;

text! {
    /// WeChat's name for a mini program: `wx` and sixteen hex digits, as far as anybody has seen.
    Appid, 64, "an appid has 1 to 64 characters of [A-Za-z0-9_-], such as wx0123456789abcdef"
}
