//! The commented configuration: as it is printed for reading, and filled in for `menjin init`.

use menjin_core::Secret;

/// Every key with what it does, its unit and its default. What has no default is commented out.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// What `menjin init` asks or makes.
pub(crate) struct InitAnswers {
    /// The mini program.
    pub(crate) appid: String,
    /// Its `AppSecret`.
    pub(crate) app_secret: Secret,
    /// What [`menjin_core::MasterKeys::generate`] made.
    pub(crate) master_key: String,
    /// The database.
    pub(crate) store_url: String,
    /// The address to listen on.
    pub(crate) listen: String,
    /// What clients see; empty for the address that is listened on.
    pub(crate) public_url: String,
}

/// The example with the answers in it: a file to keep, which nobody else may read.
pub(crate) fn render(answers: &InitAnswers) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let keys = toml::Value::from(vec![answers.master_key.as_str()]).to_string();
    let values = [
        ("[server]", "listen", text(&answers.listen)),
        ("[server]", "public_url", text(&answers.public_url)),
        ("[store]", "url", text(&answers.store_url)),
        ("[secrets]", "master_keys", keys),
        ("[[wechat.apps]]", "appid", text(&answers.appid)),
        (
            "[[wechat.apps]]",
            "secret",
            text(answers.app_secret.expose()),
        ),
    ];
    let mut section = "";
    let mut filled = String::with_capacity(EXAMPLE.len() + 512);
    for line in EXAMPLE.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let key = key_of(line);
        let answer = values
            .iter()
            .find(|(of, name, _)| *of == section && key == Some(*name));
        match answer {
            Some((_, name, value)) => filled.extend([*name, " = ", value]),
            None => filled.push_str(line),
        }
        filled.push('\n');
    }
    filled
}

/// The key that a line sets, or would set if it were not commented out.
pub(super) fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    let is_key = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    key.bytes().all(is_key).then_some(key)
}
