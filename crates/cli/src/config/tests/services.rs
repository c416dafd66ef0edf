//! The team's other services: what is taken, what is refused, and that no secret is ever shown.

use menjin_core::{Permission, secret::sha256};

use super::{
    super::{Config, hex},
    LEAST, least_and, load, load_with, problems, problems_of,
};

/// The digest of a secret that nobody guesses.
const DIGEST: &str = "0b2ba5a0b0da5fca9d1ee3cbc5b0bd8e4a7dbd3a5b0e2d6c9a14cbd1a06f3c55";

fn digest_of(secret: &str) -> String {
    hex(&sha256(secret.as_bytes()))
}

/// What is said of a section with these lines, which begin in line 5.
fn told(lines: &str) -> String {
    problems(&format!("{LEAST}[[services]]\n{lines}\n"))
}

#[test]
fn services_are_read_in_order() {
    let config = load(&least_and(&format!(
        "[[services]]
         id = 'repairs'
         secret_digest = '{DIGEST}'
         may = ['follow', 'introspect', 'follow']
         [[services]]
         id = 'shop-2.test'
         secret_digest = '{}'
         may = ['wechat_token', 'revoke']",
        digest_of("q1w2e3r4t5").to_uppercase()
    )))
    .unwrap();
    let [repairs, shop] = config.services.as_slice() else {
        panic!("{:?}", config.services);
    };
    assert_eq!(repairs.id.as_str(), "repairs");
    assert_eq!(hex(&repairs.secret_digest), DIGEST);
    assert_eq!(repairs.may, [Permission::Introspect, Permission::Follow]);
    assert_eq!(repairs.former, None);
    assert_eq!(shop.id.as_str(), "shop-2.test");
    assert!(shop.has_secret("q1w2e3r4t5", 0));
    assert_eq!(shop.may, [Permission::Revoke, Permission::WechatToken]);
    assert!(load(LEAST).unwrap().services.is_empty());
}

#[test]
fn the_environment_changes_replaces_and_adds_services() {
    let file = least_and(&format!(
        "services = [{{ id = 'repairs', secret_digest = '{DIGEST}', may = ['follow'] }}]"
    ));
    let changed = load_with(&file, &[("MENJIN_SERVICES__0__MAY", "introspect, revoke")]);
    let changed = changed.unwrap().services;
    assert_eq!(changed[0].may, [Permission::Introspect, Permission::Revoke]);
    assert_eq!(hex(&changed[0].secret_digest), DIGEST);
    let other = digest_of("q1w2e3r4t5");
    let added = [
        ("MENJIN_SERVICES__1__ID", "shop"),
        ("MENJIN_SERVICES__1__SECRET_DIGEST", &other),
        ("MENJIN_SERVICES__1__MAY", "[\"wechat_token\"]"),
    ];
    let added = load_with(&file, &added).unwrap().services;
    let names: Vec<_> = added.iter().map(|service| service.id.as_str()).collect();
    assert_eq!(names, ["repairs", "shop"]);
    let stranger = load_with(&file, &[("MENJIN_SERVICES__0__ID", "shop")]).unwrap_err();
    assert!(
        stranger.contains("MENJIN_SERVICES__0__ID: services[0].secret_digest: is missing"),
        "another service does not inherit a secret: {stranger}"
    );
}

/// Each with the line, the key and the beginning of what is said of it.
#[test]
fn sections_that_make_no_sense_are_refused() {
    let id = "id = 'repairs'";
    let digest = &format!("secret_digest = '{DIGEST}'");
    let may = "may = ['introspect']";
    for (lines, wrong) in [
        (
            format!("{digest}\n{may}"),
            "4: services[0].id: is missing: set it to a name",
        ),
        (
            format!("{id}\n{may}"),
            "4: services[0].secret_digest: is missing: set it to the SHA-256",
        ),
        (
            format!("{id}\n{digest}"),
            "4: services[0].may: is missing: list some of introspect, ",
        ),
        (
            format!("{id}\n{digest}\nmay = []"),
            "7: services[0].may: is empty, and so",
        ),
        (
            format!("id = '维修'\n{digest}\n{may}"),
            "5: services[0].id: a service is named by 1 to 64",
        ),
        (
            format!("{id}\n{digest}\nmay = ['follow', 'introspecd']"),
            "7: services[0].may: number 2 is no such word; did you mean \"introspect\"?",
        ),
        (
            format!("{id}\n{digest}\nmay = ['wechat-token']"),
            "7: services[0].may: number 1 is no such word; did you mean \"wechat_token\"?",
        ),
        (
            format!("{id}\n{digest}\nmay = ['everything']"),
            "7: services[0].may: number 1 is no such word: there are introspect, revoke, follow, ",
        ),
        (
            format!("{id}\n{digest}\n{may}\n[[services]]\n{id}\n{digest}\n{may}"),
            "9: services[1].id: was given before, at menjin.toml:5: rename one",
        ),
        (
            format!("{id}\nsecret = 'q1w2e3r4t5'\n{digest}\n{may}"),
            "6: services[0].secret: does not belong here: write secret_digest",
        ),
        (
            format!("{id}\n{digest}\n{may}\nmai = []"),
            "8: services[0].mai: there is no such key; did you mean services.may?",
        ),
    ] {
        let said = told(&lines);
        assert!(
            said.starts_with(&format!("menjin.toml:{wrong}")),
            "{lines}\n{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_secret_in_place_of_its_digest_is_told_where_it_does_not_belong() {
    let said = problems_of(&[("MENJIN_SERVICES__0__SECRET", "q1w2e3r4t5")]);
    assert!(
        said.starts_with("MENJIN_SERVICES__0__SECRET: does not belong here: write secret_digest"),
        "{said}"
    );
}

/// Each with the beginning of what is said of it.
#[test]
fn what_is_no_digest_is_refused_and_never_shown() {
    let (secret, _) = menjin_core::Service::fresh_secret();
    let short = &DIGEST[..63];
    let slipped = DIGEST.replace('0', "O");
    for (given, wrong) in [
        ("", "is empty: set it to the SHA-256 of the secret"),
        ("your-secret-digest", "is an example: "),
        (&"0".repeat(64), "is an example: "),
        (short, "has 63 hex digits, and a SHA-256 has 64: "),
        (
            &slipped,
            "holds characters that are no hex digits: copy it again",
        ),
        (
            secret.expose(),
            "is no digest, and may be the secret itself, which must not stand",
        ),
        (
            "correct horse",
            "is no digest, and may be the secret itself, which must not stand",
        ),
        (
            &"ü".repeat(32),
            "holds characters that are no hex digits: copy it again",
        ),
    ] {
        let lines = format!("id = 'repairs'\nsecret_digest = '{given}'\nmay = ['follow']");
        let said = told(&lines);
        let start = format!("menjin.toml:6: services[0].secret_digest: {wrong}");
        assert!(said.starts_with(&start), "{lines}\n{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(given.is_empty() || !said.contains(given), "{said}");
    }
}

/// Proves LOG-4 for services: a secret that anybody would guess is refused by its digest, also with the
/// line end that `echo` adds, and taken by `menjin dev` alone.
#[test]
fn digests_of_secrets_that_anybody_would_guess_are_refused() {
    for secret in [
        "",
        "\n",
        "dev-secret",
        "secret",
        "password\n",
        "changeme",
        "repairs",
    ] {
        let section = format!(
            "[[services]]\nid = 'repairs'\nsecret_digest = '{}'\nmay = ['follow']\n",
            digest_of(secret)
        );
        let said = problems(&format!("{LEAST}{section}"));
        let start =
            "menjin.toml:6: services[0].secret_digest: is the digest of a secret that anybody";
        assert!(said.starts_with(start), "{secret:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let defaults: toml::Table = format!("{LEAST}{section}").parse().unwrap();
        assert!(Config::load_over(&defaults, []).is_ok(), "{secret:?}");
    }
}
