//! Registration, messages, profiles and pictures: what is weak, contradicts itself, or says nothing.

use super::{APP_SECRET, LEAST, least_and, load, problems};

/// Lines that are refused, the key that is to blame, and a part of what is said.
const REFUSED: &[(&str, &str, &str)] = &[
    ("registration.calling_codes = []", "", "at least one"),
    ("registration.calling_codes = ['+86']", "", "1 to 3 digits"),
    ("registration.policy = 'of May'", "", "without blanks"),
    ("registration.sms_budget = -1", "", "has to be between 0"),
    (
        "sms.provider = 'twilio'",
        "",
        "has to be \"\" or \"log\" or \"tencent\"",
    ),
    ("sms.tencent.secret_key = 'short'", "", "is too short"),
    (
        "sms.aliyun.access_key_secret = 'your-key'",
        "",
        "is an example",
    ),
    ("sms.tencent.sign_name = '【门禁】'", "", "without brackets"),
    (
        "sms.webhook.url = 'sms.example.com'",
        "",
        "has to be an address",
    ),
    (
        "sms.webhook.url = 'https://u:p@a.example'",
        "",
        "has to be an address",
    ),
    (
        "sms.webhook.secret = '0123456789abcde'",
        "",
        "32 random characters",
    ),
    (
        "mail = { host = 'smtp.example.com:465', from = 'a@example.com' }",
        "mail.host",
        "without a port",
    ),
    ("mail.host = 'a.example'", "mail.from", "is missing"),
    ("mail.from = 'nobody'", "", "has to be a mail address"),
    ("mail.port = 65536", "", "has to be between 0 and 65535"),
    (
        "mail.security = 'ssl'",
        "",
        "has to be \"tls\" or \"starttls\"",
    ),
    ("mail.user = 'a@example.com'", "mail.password", "is missing"),
    ("mail.password = 'secret'", "mail.user", "is missing"),
    (
        "mail = { host = 'a.example', from = 'a@example.com', security = 'none' }",
        "mail.security",
        "in the clear to another machine",
    ),
    (
        "profile.campuses = ['East', '']",
        "",
        "number 2 has to be 1 to 64",
    ),
    (
        "profile.avatar_hosts = ['https://a.example']",
        "",
        "the name of a host",
    ),
    ("avatars.location = '/srv/pictures'", "", "file:///path"),
    ("avatars.location = 'file://pictures'", "", "file:///path"),
    (
        "avatars.endpoint = 'https://a.example'",
        "",
        "is for a bucket",
    ),
    (
        "avatars.public_url = 'https://a.example/'",
        "",
        "must not end in a slash",
    ),
    (
        "avatars = { location = 's3://faces', access_key = 'a' }",
        "avatars.secret_key",
        "is missing",
    ),
    (
        "avatars = { location = 's3://faces', secret_key = '0123456789' }",
        "avatars.access_key",
        "is missing",
    ),
    (
        "avatars = { location = 's3://faces', access_key = 'a', secret_key = '0123456789', \
         endpoint = 'https://cos.example' }",
        "avatars.endpoint",
        "has to begin with the bucket's name",
    ),
    (
        "avatars = { location = 's3://faces', access_key = 'a', secret_key = '0123456789', \
         endpoint = 'https://faces.cos.example', virtual_host = false }",
        "avatars.endpoint",
        "take the name away",
    ),
];

/// Proves LOG-4 for what carries messages and keeps pictures: what is weak or contradicts itself is
/// refused, with the key, the line and what to do.
#[test]
fn what_is_weak_or_contradicts_itself_is_refused() {
    for (line, key, told) in REFUSED {
        let key = if key.is_empty() {
            line.split(' ').next().unwrap()
        } else {
            key
        };
        let said = problems(&least_and(line));
        let start = |line: &&str| {
            line.starts_with(&format!("menjin.toml:4: {key}: "))
                || line.starts_with(&format!("menjin.toml: {key}: "))
        };
        let said_of_it = said.lines().find(start).unwrap_or_default();
        assert!(said_of_it.contains(told), "{line}\n{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// Own fields that are refused, the line, and what is said.
const ODD_FIELDS: &[(&str, &str)] = &[
    (
        "",
        "4: profile.fields[0].name: is missing: set it to a name",
    ),
    (
        "name = 'a'",
        "4: profile.fields[0].type: is missing: set it to \"string\"",
    ),
    (
        "name = 'phone'\ntype = 'bool'",
        "5: profile.fields[0].name: the name of a profile field is taken",
    ),
    (
        "name = 'A'\ntype = 'bool'",
        "5: profile.fields[0].name: the name of a profile field has 1 to 32",
    ),
    (
        "name = 'a'\ntype = 'text'",
        "6: profile.fields[0].type: has to be \"string\" or",
    ),
    (
        "name = 'a'\ntype = 'string'\nmax_length = 0",
        "7: profile.fields[0].max_length: has to be between 1 and 2000",
    ),
    (
        "name = 'a'\ntype = 'string'\nmin = 0",
        "7: profile.fields[0].min: belongs to the type \"int\"",
    ),
    (
        "name = 'a'\ntype = 'int'\nmin = 2\nmax = 1",
        "8: profile.fields[0].max: is less than min",
    ),
    (
        "name = 'a'\ntype = 'int'\nmax = 9007199254740992",
        "7: profile.fields[0].max: has to be between",
    ),
    (
        "name = 'a'\ntype = 'enum'",
        "4: profile.fields[0].values: is missing",
    ),
    (
        "name = 'a'\ntype = 'enum'\nvalues = ['x', 'x']",
        "7: profile.fields[0].values: holds a word twice",
    ),
    (
        "name = 'a'\ntype = 'bool'\nset_by = 'me'",
        "7: profile.fields[0].set_by: has to be",
    ),
    (
        "name = 'a'\ntype = 'bool'\n[[profile.fields]]\nname = 'a'\ntype = 'int'",
        "8: profile.fields[1].name: was given before, at menjin.toml:5: rename one",
    ),
];

#[test]
fn own_fields_that_make_no_sense_are_refused() {
    let told = |keys: &str| problems(&format!("{LEAST}[[profile.fields]]\n{keys}"));
    for (keys, wrong) in ODD_FIELDS {
        let said = told(keys);
        assert!(
            said.contains(&format!("menjin.toml:{wrong}")),
            "{keys}\n{said}"
        );
    }
}

#[test]
fn pushed_messages_need_a_token() {
    let with = |more: &str| {
        let app = format!("secret = '{APP_SECRET}'");
        LEAST.replace(&app, &format!("{app}, {more}"))
    };
    let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let both = format!("push_token = 'q1w2e3r4t5', push_aes_key = '{key}'");
    assert!(load(&with(&both)).unwrap().wechat.apps[0].push.is_some());
    for (more, told) in [
        (format!("push_aes_key = '{key}'"), "push_token: is missing"),
        ("push_token = 'q1w2'".to_owned(), "push_token: is too short"),
        (
            "push_token = 'q1w2-e3r4'".to_owned(),
            "push_token: cannot be used",
        ),
        (both.replace("EFG", "EF"), "push_aes_key: is too short"),
        (both.replace("EFG", "EFGH"), "push_aes_key: cannot be used"),
    ] {
        let said = problems(&with(&more));
        assert!(
            said.contains(&format!("wechat.apps[0].{told}")),
            "{more}\n{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
