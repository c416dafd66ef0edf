//! Every number and word that says why something was not done: what it means, and what to do about
//! it, in two languages. The code takes its words from here or is held to them by a test.

mod account;
mod general;
mod oauth;
mod reference;
mod sign_in;
mod wechat;

/// WeChat's number for "system error", which also stands for whatever is not the caller's doing.
pub(crate) const SYSTEM_ERROR: i64 = -1;

/// The language of a reference. Numbers and words are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English
    #[default]
    English,
    /// Chinese
    Chinese,
}

/// One row: the number or word, the HTTP statuses that it comes with, and in each language what it
/// means, what the caller's developer does, what the operator does.
pub(crate) struct Entry {
    pub(crate) word: &'static str,
    pub(crate) status: &'static str,
    english: [&'static str; 3],
    chinese: [&'static str; 3],
}

const fn entry(
    word: &'static str,
    status: &'static str,
    english: [&'static str; 3],
    chinese: [&'static str; 3],
) -> Entry {
    Entry {
        word,
        status,
        english,
        chinese,
    }
}

impl Entry {
    pub(crate) fn texts(&self, language: Language) -> [&'static str; 3] {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }
}

/// Whether the reference lists a number that a sign-in can be answered with.
pub(crate) fn knows(errcode: i64) -> bool {
    let ours = sign_in::SIGN_IN.iter();
    ours.map(|entry| entry.word)
        .any(|word| word.parse() == Ok(errcode))
        || wechat::all().any(|code| code.number == errcode)
}

/// The reference of errors, as Markdown: each with what it means and what to do.
#[must_use]
pub fn error_reference(language: Language) -> String {
    reference::whole(language)
}

/// The same in short, in English, for the description of the API.
pub(crate) fn summary() -> String {
    reference::summary()
}

/// The statuses under which the tables of ours list a word.
#[cfg(test)]
pub(crate) fn statuses(word: &str) -> Vec<&'static str> {
    let rows = reference::SECTIONS.iter().flat_map(|section| section.rows);
    let rows = rows.filter(|row| row.word == word);
    rows.map(|row| row.status).collect()
}

#[cfg(test)]
mod tests;
