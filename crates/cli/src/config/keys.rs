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

/// Every key outside of the [`LISTS`].
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
    ("registration.calling_codes", Kind::Texts),
    ("registration.policy", Kind::Text),
    ("registration.sms_per_address", Kind::Whole),
    ("registration.sms_budget", Kind::Whole),
    ("sms.provider", Kind::Text),
    ("sms.tencent.secret_id", Kind::Text),
    ("sms.tencent.secret_key", Kind::Text),
    ("sms.tencent.secret_key_file", Kind::Text),
    ("sms.tencent.region", Kind::Text),
    ("sms.tencent.sdk_app_id", Kind::Text),
    ("sms.tencent.sign_name", Kind::Text),
    ("sms.tencent.template_register", Kind::Text),
    ("sms.tencent.template_migrate", Kind::Text),
    ("sms.tencent.template_new_phone", Kind::Text),
    ("sms.tencent.template_phone_changed", Kind::Text),
    ("sms.tencent.with_minutes", Kind::Switch),
    ("sms.tencent.base_url", Kind::Text),
    ("sms.aliyun.access_key_id", Kind::Text),
    ("sms.aliyun.access_key_secret", Kind::Text),
    ("sms.aliyun.access_key_secret_file", Kind::Text),
    ("sms.aliyun.sign_name", Kind::Text),
    ("sms.aliyun.template_register", Kind::Text),
    ("sms.aliyun.template_migrate", Kind::Text),
    ("sms.aliyun.template_new_phone", Kind::Text),
    ("sms.aliyun.template_phone_changed", Kind::Text),
    ("sms.aliyun.with_minutes", Kind::Switch),
    ("sms.aliyun.base_url", Kind::Text),
    ("sms.webhook.url", Kind::Text),
    ("sms.webhook.secret", Kind::Text),
    ("sms.webhook.secret_file", Kind::Text),
    ("mail.host", Kind::Text),
    ("mail.port", Kind::Whole),
    ("mail.security", Kind::Text),
    ("mail.user", Kind::Text),
    ("mail.password", Kind::Text),
    ("mail.password_file", Kind::Text),
    ("mail.from", Kind::Text),
    ("profile.campuses", Kind::Texts),
    ("profile.avatar_hosts", Kind::Texts),
    ("content_check.nickname", Kind::Switch),
    ("avatars.location", Kind::Text),
    ("avatars.endpoint", Kind::Text),
    ("avatars.region", Kind::Text),
    ("avatars.access_key", Kind::Text),
    ("avatars.secret_key", Kind::Text),
    ("avatars.secret_key_file", Kind::Text),
    ("avatars.virtual_host", Kind::Switch),
    ("avatars.public_url", Kind::Text),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
    ("telemetry.otlp_endpoint", Kind::Text),
];

/// Sections of which there can be several: `[[wechat.apps]]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    /// What stands between the brackets.
    pub(super) name: &'static str,
    /// Every key of one section.
    pub(super) keys: &'static [(&'static str, Kind)],
    /// The key that tells one from another.
    pub(super) identity: &'static str,
}

/// The list of mini programs.
pub(super) const APPS: List = List {
    name: "wechat.apps",
    keys: &[
        ("appid", Kind::Text),
        ("secret", Kind::Text),
        ("secret_file", Kind::Text),
        ("default", Kind::Switch),
        ("push_token", Kind::Text),
        ("push_token_file", Kind::Text),
        ("push_aes_key", Kind::Text),
        ("push_aes_key_file", Kind::Text),
    ],
    identity: "appid",
};

/// The list of the deployment's own fields.
pub(super) const FIELDS: List = List {
    name: "profile.fields",
    keys: &[
        ("name", Kind::Text),
        ("type", Kind::Text),
        ("max_length", Kind::Whole),
        ("min", Kind::Whole),
        ("max", Kind::Whole),
        ("values", Kind::Texts),
        ("set_by", Kind::Text),
    ],
    identity: "name",
};

/// The list of the team's other services.
pub(super) const SERVICES: List = List {
    name: "services",
    keys: &[
        ("id", Kind::Text),
        ("secret_digest", Kind::Text),
        ("may", Kind::Texts),
    ],
    identity: "id",
};

/// Every list.
pub(super) const LISTS: [List; 3] = [APPS, FIELDS, SERVICES];

/// Keys whose values nobody else may read, by their last part.
const SECRETS: [&str; 8] = [
    "master_keys",
    "secret",
    "secret_key",
    "access_key_secret",
    "password",
    "push_token",
    "push_aes_key",
    "url",
];

/// Whether a value is a secret. An address is one if it may hold a password.
pub(super) fn is_secret(key: &str, value: Option<&str>) -> bool {
    match key.rsplit('.').next().unwrap_or(key) {
        // Before the host of a database stand its user and password.
        "url" if key == "store.url" => value.is_some_and(|url| url.contains('@')),
        last => SECRETS.contains(&last),
    }
}

/// Finds a key outside of the [`LISTS`] by its whole name.
pub(super) fn find(path: &str) -> Option<(&'static str, Kind)> {
    KEYS.iter().copied().find(|(name, _)| *name == path)
}

/// Finds a list by its name.
pub(super) fn list(path: &str) -> Option<List> {
    LISTS.into_iter().find(|list| list.name == path)
}

impl List {
    /// Finds a key of one of the sections.
    pub(super) fn find(&self, name: &str) -> Option<(&'static str, Kind)> {
        self.keys.iter().copied().find(|(known, _)| *known == name)
    }
}

/// Whether keys stand under this name.
pub(super) fn is_section(path: &str) -> bool {
    KEYS.iter()
        .any(|(name, _)| section_of(name).is_some_and(|section| section == path))
}

/// What stands where somebody would rather write a key that there is not, for a reason.
pub(super) fn instead(path: &str) -> Option<&'static str> {
    matches!(path, "services.secret" | "services.secret_file").then_some(
        "does not belong here: write secret_digest, its SHA-256 (`menjin service add NAME --may .. \
         --as-config` makes both)",
    )
}

/// The word that was probably meant by another one.
pub(super) fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    let near = words.iter().map(|known| (distance(word, known), *known));
    let (slips, known) = near.min()?;
    (slips <= (known.len() / 3).max(1)).then_some(known)
}

/// The key or section that was probably meant by an unknown one. Keys of lists are called
/// `wechat.apps.secret` here.
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
            .filter(|name| name.rsplit('.').next() == Some(last))
            .min_by_key(|name| distance(path, name))
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
    let of_lists = LISTS.iter().flat_map(|list| {
        let keys = list.keys.iter();
        keys.map(|(name, _)| format!("{}.{name}", list.name))
    });
    let sections = KEYS.iter().filter_map(|(name, _)| section_of(name));
    let sections = sections.chain(LISTS.iter().map(|list| list.name));
    let sections = sections.map(str::to_owned);
    let mut all: Vec<_> = keys.chain(of_lists).chain(sections).collect();
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
            ("sms.secret_id", "sms.tencent.secret_id"),
            ("profile.fields.maxlength", "profile.fields.max_length"),
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
