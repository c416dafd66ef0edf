//! Registration, messages, profiles and pictures: their defaults, and what becomes of what is set.

use menjin_core::profile::{Kind, SetBy};
use menjin_messages::Security;

use super::{super::Sms, LEAST, least_and, load, load_with, problems};

/// A key that a machine has drawn, as far as anybody can see.
const KEY: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";

fn lines(text: &[&str]) -> String {
    least_and(&text.join("\n"))
}

#[test]
fn nothing_is_sent_and_nothing_is_asked_unless_it_is_set() {
    let config = load(LEAST).unwrap();
    assert!(matches!(config.sms, Sms::None) && config.mail.is_none());
    let registration = config.registration;
    assert_eq!(registration.policy, None);
    let limits = (registration.limits.per_address, registration.limits.budget);
    assert_eq!(limits, (300, 600));
    assert!(menjin_core::Phone::parse("13800138000", &registration.calling_codes).is_ok());
    assert!(menjin_core::Phone::parse("+85251234567", &registration.calling_codes).is_err());
    let profile = config.profile;
    assert_eq!(profile.fields.iter().count(), 0);
    assert!(profile.campuses.is_empty() && profile.avatar_hosts.is_empty());
    assert!(!profile.check_nickname);
    assert!(config.wechat.apps[0].push.is_none());
}

#[test]
fn pictures_lie_beside_the_database_unless_told_otherwise() {
    let location = |text: &str| load(text).unwrap().avatars.map(|avatars| avatars.location);
    let beside = Some("file:///var/lib/menjin/avatars".to_owned());
    assert_eq!(location(LEAST), beside);
    let postgres = LEAST.replace("sqlite:///var/lib/menjin/menjin.db", "postgres://db/menjin");
    assert_eq!(location(&postgres), None);
    let elsewhere = least_and("avatars.location = 'file:///srv/pictures'");
    assert_eq!(
        location(&elsewhere),
        Some("file:///srv/pictures".to_owned())
    );
    let bucket = lines(&[
        "avatars.location = 's3://faces/small'",
        "avatars.endpoint = 'https://faces.cos.ap-guangzhou.myqcloud.com/'",
        "avatars.region = 'ap-guangzhou'",
        "avatars.access_key = 'AKID'",
        &format!("avatars.secret_key = '{KEY}'"),
        "avatars.public_url = 'https://img.example.com'",
    ]);
    let bucket = load(&bucket).unwrap().avatars.unwrap();
    assert_eq!(bucket.location, "s3://faces/small");
    let endpoint = "https://faces.cos.ap-guangzhou.myqcloud.com";
    assert_eq!(bucket.endpoint.as_deref(), Some(endpoint));
    assert_eq!(bucket.secret_key.unwrap().expose(), KEY);
    assert!(bucket.virtual_host);
}

#[test]
fn each_provider_gets_what_it_needs() {
    let tencent = lines(&[
        "sms.provider = 'tencent'",
        "sms.tencent.secret_id = 'AKID'",
        &format!("sms.tencent.secret_key = '{KEY}'"),
        "sms.tencent.sdk_app_id = '1400000000'",
        "sms.tencent.sign_name = '门禁'",
        "sms.tencent.template_register = '1'",
        "sms.tencent.template_migrate = '2'",
        "sms.tencent.template_new_phone = '3'",
    ]);
    let config = load(&tencent).unwrap();
    let Sms::Tencent(options) = config.sms else {
        panic!("{:?}", config.sms);
    };
    assert_eq!(options.secret_key.expose(), KEY);
    assert_eq!(options.region, "ap-guangzhou");
    assert_eq!(options.base_url, "https://sms.tencentcloudapi.com");
    assert_eq!(options.templates.phone_changed, None);
    assert!(options.templates.with_minutes);

    let aliyun = tencent
        .replace("tencent", "aliyun")
        .replace("secret_key", "access_key_secret")
        .replace("secret_id", "access_key_id")
        .replace("sms.aliyun.sdk_app_id", "# ");
    let Sms::Aliyun(options) = load(&aliyun).unwrap().sms else {
        panic!("not Alibaba Cloud");
    };
    assert_eq!(options.access_key_id, "AKID");
    assert_eq!(options.templates.migrate, "2");
    assert!(!options.templates.with_minutes);

    let webhook = lines(&[
        "sms.provider = 'webhook'",
        "sms.webhook.url = 'https://sms.example.com/send?key=1'",
        &format!("sms.webhook.secret = '{KEY}'"),
    ]);
    let config = load(&webhook).unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    assert!(matches!(config.sms, Sms::Webhook(_)));
}

#[test]
fn a_provider_without_its_keys_is_refused() {
    let missing = |provider: &str| {
        let told = problems(&least_and(&format!("sms.provider = '{provider}'")));
        let keys = told.lines().map(|line| {
            let key = line.strip_prefix("menjin.toml: sms.").expect(line);
            key.split_once(": is missing: set it")
                .expect(line)
                .0
                .to_owned()
        });
        keys.collect::<Vec<_>>()
    };
    let templates = [
        "template_migrate",
        "template_new_phone",
        "template_register",
    ];
    let keys = |section: &str, first: &[&str]| {
        let all = first.iter().chain(&templates);
        all.map(|key| format!("{section}.{key}"))
            .collect::<Vec<_>>()
    };
    let tencent = ["sdk_app_id", "secret_id", "secret_key", "sign_name"];
    assert_eq!(missing("tencent"), keys("tencent", &tencent));
    let aliyun = ["access_key_id", "access_key_secret", "sign_name"];
    assert_eq!(missing("aliyun"), keys("aliyun", &aliyun));
    assert_eq!(missing("webhook"), ["webhook.secret", "webhook.url"]);
}

#[test]
fn mail_goes_to_a_server_that_is_named() {
    let mail = |text: &[&str]| load(&lines(text)).unwrap().mail.unwrap();
    let given = [
        "mail.host = 'smtp.example.com'",
        "mail.from = 'a@example.com'",
    ];
    let least = mail(&given);
    assert_eq!((least.port, least.security), (465, Security::Implicit));
    assert!(least.login.is_none());
    let [host, from] = given;
    let starttls = mail(&[host, from, "mail.security = 'starttls'"]);
    assert_eq!(starttls.port, 587);
    let more = mail(&[
        host,
        "mail.from = '门禁 <no-reply@example.com>'",
        "mail.port = 2465",
        "mail.user = 'a@example.com'",
        "mail.password = 'app password with blanks'",
    ]);
    assert_eq!(more.port, 2465);
    let password = more.login.unwrap().password;
    assert_eq!(password.expose(), "app password with blanks");
    let local = mail(&["mail.host = '127.0.0.1'", from, "mail.security = 'none'"]);
    assert_eq!(local.port, 25);
}

#[test]
fn what_is_set_and_does_nothing_is_said() {
    let warnings = |text: &[&str]| load(&lines(text)).unwrap().warnings().join("\n");
    let idle = warnings(&["sms.webhook.url = 'https://a.example'"]);
    assert!(idle.starts_with("sms.webhook is filled in"), "{idle}");
    let idle = warnings(&["mail.from = 'a@example.com'"]);
    assert!(idle.contains("mail.host is not"), "{idle}");
    let log = warnings(&["sms.provider = 'log'"]);
    assert!(log.contains("for development alone"), "{log}");
    let secret = format!("sms.webhook.secret = '{KEY}'");
    let url = "sms.webhook.url = 'http://sms.example.com'";
    let clear = warnings(&["sms.provider = 'webhook'", url, &secret]);
    assert!(clear.starts_with("sms.webhook.url is http"), "{clear}");
}

#[test]
fn own_fields_are_declared() {
    let text = least_and(
        "
        [profile]
        campuses = ['East', '西区']
        avatar_hosts = ['img.example.com']
        [[profile.fields]]
        name = 'available'
        type = 'bool'
        [[profile.fields]]
        name = 'wants'
        type = 'string'
        max_length = 20
        [[profile.fields]]
        name = 'level'
        type = 'int'
        min = 1
        max = 5
        set_by = 'admin'
        [[profile.fields]]
        name = 'shift'
        type = 'enum'
        values = ['day', 'night']
        [content_check]
        nickname = true",
    );
    let profile = load(&text).unwrap().profile;
    let declared: Vec<_> = profile
        .fields
        .iter()
        .map(|field| (field.name, field.kind.clone(), field.set_by))
        .collect();
    let words = vec!["day".to_owned(), "night".to_owned()];
    let wanted = [
        ("available", Kind::Bool, SetBy::User),
        ("wants", Kind::Text(20), SetBy::User),
        ("level", Kind::Int(1, 5), SetBy::Admin),
        ("shift", Kind::OneOf(words), SetBy::User),
    ];
    assert_eq!(declared, wanted);
    assert_eq!(profile.campuses, ["East", "西区"]);
    assert!(profile.check_nickname);
    let variables = [
        ("MENJIN_PROFILE__FIELDS__0__NAME", "year"),
        ("MENJIN_PROFILE__FIELDS__0__TYPE", "int"),
        ("MENJIN_PROFILE__FIELDS__0__MIN", "-3"),
    ];
    let profile = load_with(LEAST, &variables).unwrap().profile;
    let most = (1 << 53) - 1;
    assert_eq!(
        profile.fields.find("year").unwrap().kind,
        Kind::Int(-3, most)
    );
}
