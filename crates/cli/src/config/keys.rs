//! The keys that there are, what kind of value each has, and which one somebody meant.

/// What a key's value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// An array of strings.
    Texts,
    /// An integer.
    Whole,
    /// An integer or a float.
    Number,
    /// A boolean.
    Switch,
}

impl Kind {
    /// Says what it has to be, with an example.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Text => "text in quotes, such as \"text\"",
            Self::Texts => "a list of texts, such as [\"one\", \"two\"]",
            Self::Whole => "a whole number, such as 60",
            Self::Number => "a number, such as 2 or 0.5",
            Self::Switch => "true or false",
        }
    }
}

/// Every key outside of [`APPS`].
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("server.listen", Kind::Text),
    ("server.public_url", Kind::Text),
    ("server.trusted_proxies", Kind::Texts),
    ("server.management_listen", Kind::Text),
    ("store.url", Kind::Text),
    ("store.connections", Kind::Whole),
    ("store.migrate", Kind::Switch),
    ("secrets.master_keys", Kind::Texts),
    ("secrets.master_keys_file", Kind::Text),
    ("wechat.base_url", Kind::Text),
    ("wechat.connect_timeout", Kind::Number),
    ("wechat.timeout", Kind::Number),
    ("wechat.ca_file", Kind::Text),
    ("token.issuer", Kind::Text),
    ("token.audience", Kind::Texts),
    ("token.ttl", Kind::Whole),
    ("token.algorithm", Kind::Text),
    ("token.rotation", Kind::Whole),
    ("token.jwks_max_age", Kind::Whole),
    ("sign_in.replay_window", Kind::Whole),
    ("limits.sign_in_per_address", Kind::Whole),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
    ("telemetry.otlp_endpoint", Kind::Text),
];

/// The list of mini programs.
pub(super) const APPS: &str = "wechat.apps";

/// Every key of one mini program.
pub(super) const APP_KEYS: &[(&str, Kind)] = &[
    ("appid", Kind::Text),
    ("secret", Kind::Text),
    ("secret_file", Kind::Text),
    ("default", Kind::Switch),
];

/// Finds a key outside of [`APPS`] by its whole name.
pub(super) fn find(path: &str) -> Option<(&'static str, Kind)> {
    KEYS.iter().copied().find(|(name, _)| *name == path)
}

/// Finds a key of a mini program.
pub(super) fn find_of_app(name: &str) -> Option<(&'static str, Kind)> {
    APP_KEYS.iter().copied().find(|(known, _)| *known == name)
}

/// Whether keys stand under this name.
pub(super) fn is_section(path: &str) -> bool {
    KEYS.iter()
        .any(|(name, _)| section_of(name).is_some_and(|section| section == path))
}

/// The key or section that was probably meant by an unknown one. Keys of mini programs are
/// called `wechat.apps.secret` here.
pub(super) fn meant(path: &str) -> Option<String> {
    let all = names();
    // In a short name two slips make another word of it.
    let slips = if path.len() < 5 {
        1
    } else {
        (path.len() / 5).max(2)
    };
    let near = all
        .iter()
        .map(|name| (distance(path, name), name))
        .min()
        .filter(|(distance, _)| *distance <= slips);
    let last = path.rsplit('.').next().unwrap_or(path);
    let moved = || {
        all.iter()
            .find(|name| name.rsplit('.').next() == Some(last))
    };
    near.map(|(_, name)| name).or_else(moved).cloned()
}

/// What could stand beside an unknown key, for when nobody can tell what was meant.
pub(super) fn siblings(path: &str) -> String {
    let section = section_of(path);
    let mut names: Vec<_> = names()
        .into_iter()
        .filter(|name| section_of(name) == section)
        .map(|name| name.rsplit('.').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names.join(", ")
}

fn section_of(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(section, _)| section)
}

/// All keys and all sections.
fn names() -> Vec<String> {
    let keys = KEYS.iter().map(|(name, _)| (*name).to_owned());
    let app_keys = APP_KEYS.iter().map(|(name, _)| format!("{APPS}.{name}"));
    let sections = KEYS.iter().filter_map(|(name, _)| section_of(name));
    let sections = sections.chain([APPS]).map(str::to_owned);
    let mut all: Vec<_> = keys.chain(app_keys).chain(sections).collect();
    all.sort();
    all.dedup();
    all
}

/// How many characters must be put in, taken out or exchanged to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (taken, from) in left.chars().enumerate() {
        let mut diagonal = taken;
        let mut before = taken + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (to, cell) in right.chars().zip(row.iter_mut().skip(1)) {
            let exchanged = diagonal + usize::from(from != to);
            diagonal = *cell;
            before = exchanged.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_edits() {
        for (left, right, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("listen", "listne", 2),
            ("listen", "lisen", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }

    #[test]
    fn a_slip_finds_the_key_that_was_meant() {
        for (slip, meant_key) in [
            ("server.listne", "server.listen"),
            ("servr", "server"),
            ("server.jwks_max_age", "token.jwks_max_age"),
            ("replay_window", "sign_in.replay_window"),
            ("wechat.secret", "wechat.apps.secret"),
            ("wechat.app", "wechat.apps"),
            ("token.expires", "none"),
            ("foo", "none"),
            ("logs", "log"),
            ("wechat.apps.app_id", "wechat.apps.appid"),
        ] {
            assert_eq!(
                meant(slip).as_deref().unwrap_or("none"),
                meant_key,
                "{slip}"
            );
        }
        assert_eq!(siblings("limits.burst"), "sign_in_per_address");
    }
}
