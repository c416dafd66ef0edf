//! Secrets: which ones are refused, which files are too open, and that none is ever shown.

use super::{
    super::{
        Config,
        keys::{KEYS, LISTS},
    },
    APP_SECRET, Folder, KEY, LEAST, OTHER_KEY, load, load_with, problems, problems_of, set_mode,
};

/// No word of it is a word that a problem uses.
const CANARY: &str = "c4n4ry5c4n4ry5c4n4ry5c4n4ry5c4n4ry5c4n4ry5";

/// Proves LOG-4: master keys that are missing, empty, examples or short, and app secrets that are
/// missing, empty or examples, keep a configuration from loading.
#[test]
fn secrets_that_protect_nothing_are_refused() {
    let no_keys = LEAST.replace("secrets.master_keys", "#");
    assert!(problems(&no_keys).contains("secrets.master_keys: is missing"));
    for (keys, told) in [
        ("", "holds none: at least one master key is needed"),
        ("[\"\"]", "key 1: a master key is at least 32 random bytes"),
        ("short", "key 1: a master key is at least 32 random bytes"),
        (
            "MDEyMzQ1Njc4OWFiY2RlZg==",
            "key 1: a master key is at least 32 random bytes",
        ),
        (
            "change-me-change-me-change-me-change-me",
            "key 1: a master key that was never random",
        ),
        (
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "key 1: a master key that was never",
        ),
        (
            &format!("{KEY},short"),
            "key 2: a master key is at least 32 random bytes",
        ),
    ] {
        let told_line = problems_of(&[("MENJIN_SECRETS__MASTER_KEYS", keys)]);
        let line = format!("MENJIN_SECRETS__MASTER_KEYS: secrets.master_keys: {told}");
        assert!(told_line.starts_with(&line), "{line}\n{told_line}");
    }
    let no_secret = LEAST.replace(", secret = ", " #");
    assert!(
        load(&no_secret.replace('#', "} ] #"))
            .unwrap_err()
            .contains("secret: is missing")
    );
    for (secret, told) in [
        ("", "is empty"),
        ("your-app-secret", "is an example"),
        ("YOUR_APP_SECRET", "is an example"),
        ("changeme", "is an example"),
        ("Change-Me-Now", "is an example"),
        ("example0123456789example012345678", "is an example"),
        ("<AppSecret>", "is an example"),
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "is an example"),
        ("********************************", "is an example"),
        ("3f9a0c5be17d42868b0d5a3c9e7f1246 ", "holds blanks"),
    ] {
        let told_line = problems_of(&[("MENJIN_WECHAT__APPS__0__SECRET", secret)]);
        let line = format!("MENJIN_WECHAT__APPS__0__SECRET: wechat.apps[0].secret: {told}");
        assert!(told_line.starts_with(&line), "{line}\n{told_line}");
    }
}

#[test]
fn files_of_secrets_are_read() {
    let folder = Folder::new();
    let keys = format!("# The new one.\n{KEY}\n\n  # The one before.\r\n  {OTHER_KEY}  \r\n");
    let keys = folder.write("keys", keys).display().to_string();
    let secret = folder
        .write("secret", format!("{APP_SECRET}\r\n"))
        .display()
        .to_string();
    let config = load_with(
        LEAST,
        &[
            ("MENJIN_SECRETS__MASTER_KEYS_FILE", &keys),
            ("MENJIN_WECHAT__APPS__0__SECRET_FILE", &secret),
        ],
    )
    .unwrap();
    assert_eq!(config.wechat.apps[0].secret.expose(), APP_SECRET);
    let first = menjin_core::MasterKeys::parse([KEY]).unwrap();
    assert!(
        first.is_current(&config.secrets.seal("place", b"plain")),
        "the first one seals"
    );
    let second = menjin_core::MasterKeys::parse([OTHER_KEY]).unwrap();
    let sealed = second.seal("place", b"plain");
    assert!(
        config.secrets.open("place", &sealed).is_ok(),
        "all of them open"
    );
}

#[test]
fn files_that_hold_no_secret_are_refused() {
    let folder = Folder::new();
    let told = |name: &str, variable: &str| {
        let path = folder.0.join(name).display().to_string();
        problems_of(&[(variable, &path)]).replace(&path, name)
    };
    folder.write("empty", " \n");
    folder.write("comments", "# None yet.\n");
    folder.write("second", format!("{KEY}\n# Too short:\nshort\n"));
    folder.write("lines", format!("{APP_SECRET}\n{APP_SECRET}\n"));
    folder.write("example", "your-app-secret\n");
    folder.write("binary", [0xff, 0xfe]);
    folder.write("large", "a".repeat(64 * 1024 + 1));
    for (name, wrong) in [
        ("missing", "there is no file missing"),
        ("", " is a folder"),
        ("empty", "empty is empty"),
        ("comments", "holds none: at least one master key is needed"),
        (
            "second",
            "key 2 (line 3 of its file): a master key is at least 32 random bytes",
        ),
        ("binary", "binary cannot be read: "),
        ("large", "large is too large for a secret"),
    ] {
        let line = told(name, "MENJIN_SECRETS__MASTER_KEYS_FILE");
        assert!(line.contains(wrong), "{line}");
    }
    for (name, wrong) in [
        (
            "missing",
            "wechat.apps[0].secret_file: there is no file missing",
        ),
        ("empty", "wechat.apps[0].secret_file: empty is empty"),
        ("lines", "wechat.apps[0].secret_file: holds blanks"),
        ("example", "wechat.apps[0].secret_file: is an example"),
    ] {
        let line = told(name, "MENJIN_WECHAT__APPS__0__SECRET_FILE");
        assert!(line.contains(wrong), "{line}");
    }
    let unnamed = problems_of(&[("MENJIN_SECRETS__MASTER_KEYS_FILE", "")]);
    assert!(
        unnamed.ends_with("secrets.master_keys_file: names no file"),
        "{unnamed}"
    );
}

/// Proves KEY-5: a file of keys or secrets that everybody on the machine may read, change or run
/// is refused, and the message says how to close it.
#[test]
fn files_that_others_can_read_are_refused() {
    let folder = Folder::new();
    for (variable, content) in [
        ("MENJIN_SECRETS__MASTER_KEYS_FILE", KEY),
        ("MENJIN_WECHAT__APPS__0__SECRET_FILE", APP_SECRET),
    ] {
        let path = folder.write("file", content);
        let name = path.display().to_string();
        for mode in [0o644, 0o604, 0o602, 0o601, 0o666] {
            set_mode(&path, mode);
            let told = problems_of(&[(variable, &name)]);
            let end = format!("by everybody on this machine: chmod o-rwx {name}");
            assert!(told.ends_with(&end), "{mode:o}: {told}");
        }
        for mode in [0o400, 0o600, 0o640, 0o660] {
            set_mode(&path, mode);
            assert!(load_with(LEAST, &[(variable, &name)]).is_ok(), "{mode:o}");
        }
    }
}

#[test]
fn giving_a_secret_twice_is_refused() {
    let text = LEAST.replace("secret = ", "secret_file = 'app.secret', secret = ");
    let told = problems(&format!("{text}secrets.master_keys_file = 'keys'\n"));
    let lines = [
        "menjin.toml:3: wechat.apps[0].secret_file: stands beside secret: keep one of the two",
        "menjin.toml:4: secrets.master_keys_file: stands beside secrets.master_keys: \
         keep one of the two",
    ];
    assert_eq!(told, lines.join("\n"));
}

#[test]
fn no_problem_ever_shows_a_value() {
    let keys = KEYS.iter().map(|(key, _)| (*key).to_owned());
    let of_lists = LISTS.iter().flat_map(|list| {
        let keys = list.keys.iter();
        keys.map(|(key, _)| format!("{}.0.{key}", list.name))
    });
    for path in keys.chain(of_lists) {
        let name = format!("MENJIN_{}", path.replace('.', "__").to_uppercase());
        for value in [
            CANARY.to_owned(),
            format!("[\"{CANARY}\", 1]"),
            format!("https://{CANARY}@{CANARY}.example/?{CANARY}"),
            format!("postgres://{CANARY} {CANARY}"),
            format!("{CANARY} example"),
        ] {
            if let Err(told) = load_with(LEAST, &[(&name, &value)]) {
                // Where a file is named, its name is what helps.
                assert!(
                    path.ends_with("_file") || !told.contains("c4n4ry"),
                    "{name}: {told}"
                );
            }
        }
        let (section, key) = path.rsplit_once('.').unwrap();
        let header = match section.strip_suffix(".0") {
            Some(list) => format!("[[{list}]]"),
            None => format!("[{section}]"),
        };
        if key.ends_with("_file") {
            continue;
        }
        for value in [
            format!("'{CANARY}'"),
            format!("['{CANARY}', 1]"),
            format!("{{ {CANARY} = '{CANARY}' }}"),
            CANARY.to_owned(),
            format!("\"{CANARY}"),
            format!("\"{CANARY}\" {CANARY}"),
            format!("\"\\{CANARY}\""),
            format!("1979-{CANARY}"),
            format!("[{CANARY}"),
            format!("'''\n{CANARY}"),
            format!("1\n{CANARY} = 2"),
            format!("1\n'{CANARY}'.{key} = 2"),
            format!("1\n{key} = '{CANARY}'"),
        ] {
            let told = problems(&format!("{header}\n{key} = {value}\n"));
            assert!(!told.contains("c4n4ry"), "{key} = {value}\n{told}");
        }
    }
}

#[test]
fn no_secret_stands_in_debug_output() {
    let all = [
        (
            "MENJIN_STORE__URL",
            format!("postgres://menjin:{CANARY}@db/menjin"),
        ),
        ("MENJIN_SECRETS__MASTER_KEYS", format!("{CANARY}QWERTYUIOP")),
        ("MENJIN_WECHAT__APPS__0__APPID", "wx1".to_owned()),
        ("MENJIN_WECHAT__APPS__0__SECRET", CANARY.to_owned()),
    ];
    let all = all.map(|(name, value)| (name.to_owned(), value));
    let config = Config::load(None, all).unwrap();
    let shown = format!("{config:?}{config:#?}{:?}", config.warnings());
    assert!(!shown.contains("c4n4ry"), "{shown}");
}
