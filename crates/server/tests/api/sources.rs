//! What the sources themselves must keep to.

use std::path::{Path, PathBuf};

/// Parts of names under which secrets, and what is made of them, go.
const NAMES: [&str; 10] = [
    "secret",
    "digest",
    "session_key",
    "signature",
    "expose(",
    "password",
    "private_key",
    "pkcs8",
    "hmac",
    "ct_eq",
];

/// Lines that compare something of that name although it is no secret, or not in a way that shows it.
const ALLOWED: [(&str, &str, &str); 8] = [
    (
        "core/src/secret.rs",
        "left.ct_eq(right).into()",
        "the one comparison of secrets, in constant time",
    ),
    (
        "core/src/jwk.rs",
        r#"purpose == "sig""#,
        "the `use` of a public key",
    ),
    (
        "cli/src/config/advice.rs",
        "chars().count() != APP_SECRET_LENGTH",
        "the operator's own secret, and its length alone",
    ),
    (
        "simulator/src/apps.rs",
        "expected != secret",
        "a secret of the simulator's, which guards nothing",
    ),
    (
        "simulator/src/sessions.rs",
        r#"hmac_sha256(&session.key, "") == signature"#,
        "a signature of the simulator's, which guards nothing",
    ),
    (
        "simulator/src/wxa.rs",
        r#"find("sig_method") != Some("hmac_sha256")"#,
        "the name of a method",
    ),
    (
        "wechat/src/aes.rs",
        "count.ct_eq(&0)",
        "how much padding there is, in constant time",
    ),
    (
        "wechat/src/aes.rs",
        "byte.ct_eq(&count)",
        "a byte of the padding, in constant time",
    ),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The code of every crate, but for its tests: path from the folder of crates, and text.
fn sources() -> Vec<(String, String)> {
    let mut folders: Vec<_> = std::fs::read_dir(crates()).unwrap().collect();
    let mut all = Vec::new();
    while let Some(entry) = folders.pop() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(crates())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let is_test = ["tests", "tests.rs", "examples", "benches"]
            .iter()
            .any(|test| path.ends_with(test));
        if is_test {
            continue;
        }
        if path.is_dir() {
            folders.extend(std::fs::read_dir(&path).unwrap());
        } else if name.contains("/src/") && path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // Tests in the file itself stand at its end.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            all.push((name, code.to_owned()));
        }
    }
    assert!(all.len() > 100, "these are not all: {}", all.len());
    all
}

/// Whether a line compares bytes or text in the way that stops at the first difference.
fn compares(line: &str) -> bool {
    let line = line.split("//").next().unwrap();
    ["==", "!=", ".eq(", ".ne(", ".cmp(", "ct_eq"]
        .iter()
        .any(|sign| line.contains(sign))
}

/// Proves TOK-14: nothing that goes under the name of a secret is compared but by `secret::same`.
#[test]
fn secrets_are_compared_in_constant_time() {
    let mut found = [0; ALLOWED.len()];
    for (path, code) in sources() {
        for (number, line) in code.lines().enumerate() {
            let lower = line.to_lowercase();
            if !compares(line) || !NAMES.iter().any(|name| lower.contains(name)) {
                continue;
            }
            let allowed = ALLOWED
                .iter()
                .position(|(file, text, _)| *file == path && line.contains(text));
            let Some(allowed) = allowed else {
                panic!(
                    "{path}:{}: compare it with secret::same: {line}",
                    number + 1
                );
            };
            found[allowed] += 1;
        }
    }
    assert_eq!(
        found,
        [1; ALLOWED.len()],
        "an exception that is not needed any more"
    );
}

/// Proves TOK-14: what holds a secret cannot be compared by accident.
#[test]
fn what_holds_a_secret_has_no_equality() {
    let mut seen = 0;
    for (path, code) in sources() {
        let lines: Vec<_> = code.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let holds = [
                "Secret",
                "SessionKey",
                "MasterKey",
                "MasterKeys",
                "SigningKey",
            ]
            .iter()
            .any(|name| {
                let line = line.trim_start_matches("pub ");
                [" {", "("]
                    .iter()
                    .any(|next| line.starts_with(&format!("struct {name}{next}")))
            });
            if !holds {
                continue;
            }
            seen += 1;
            let derived = lines[..number]
                .iter()
                .rev()
                .take_while(|line| line.starts_with('#') || line.starts_with("///"));
            for line in derived {
                assert!(!line.contains("PartialEq"), "{path}:{}", number + 1);
            }
        }
    }
    assert!(seen >= 5, "{seen}");
}

/// Proves LOG-6: every crate takes the workspace's lints, which forbid unsafe code, and none takes
/// back what they say of panics.
#[test]
fn every_crate_keeps_the_lints() {
    let workspace = std::fs::read_to_string(crates().parent().unwrap().join("Cargo.toml")).unwrap();
    for lint in [
        "unsafe_code = \"forbid\"",
        "unwrap_used = \"warn\"",
        "expect_used = \"warn\"",
        "panic = \"warn\"",
        "indexing_slicing = \"warn\"",
    ] {
        assert!(workspace.contains(lint), "{lint}");
    }
    for folder in std::fs::read_dir(crates()).unwrap() {
        let manifest = folder.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{}",
            manifest.display()
        );
    }
    for (path, code) in sources() {
        let code: String = code.split_whitespace().collect();
        for lint in ["unwrap_used", "expect_used", "clippy::panic", "unsafe_code"] {
            // Without randomness nothing may go on; there is one place that draws it.
            let allowed = path == "core/src/identity.rs" && lint == "expect_used";
            assert_eq!(
                code.matches(lint).count(),
                usize::from(allowed),
                "{path}: {lint}"
            );
        }
    }
}
