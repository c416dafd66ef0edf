//! `[sms]`: who sends text messages.

use menjin_core::Secret;
use menjin_messages::{AliyunOptions, Reach, SmsTemplates, TencentOptions, WebhookOptions};
use reqwest::Url;

use super::{
    reader::Reader,
    secrets::{self, Wanted},
    text,
};

/// Who sends text messages.
#[derive(Debug, Clone)]
pub(crate) enum Sms {
    /// Nobody.
    None,
    /// The log, for development.
    Log,
    /// Tencent Cloud.
    Tencent(Box<TencentOptions>),
    /// Alibaba Cloud.
    Aliyun(Box<AliyunOptions>),
    /// Whoever stands behind an address of one's own.
    Webhook(Box<WebhookOptions>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    None,
    Log,
    Tencent,
    Aliyun,
    Webhook,
}

/// The keys of Tencent Cloud and Alibaba Cloud.
const CLOUD: Wanted = Wanted {
    from: "the key that the provider's console shows",
    least: 8,
    blanks: false,
};

/// What a webhook's documents are signed with.
const WEBHOOK: Wanted = Wanted {
    from: "32 random characters or more, the same as at the other end",
    least: 32,
    blanks: false,
};

/// Reads the section, whichever provider is chosen. Complaints of what is missing are about that
/// one alone; `notes` gets a sentence for each other one that is filled in.
pub(super) fn read(reader: &mut Reader<'_>, notes: &mut Vec<String>) -> Sms {
    let provider = reader.parsed(
        "sms.provider",
        Provider::None,
        text::one_of(&[
            ("", Provider::None),
            ("log", Provider::Log),
            ("tencent", Provider::Tencent),
            ("aliyun", Provider::Aliyun),
            ("webhook", Provider::Webhook),
        ]),
    );
    let chosen = |of| provider == of;
    let mut section = Section::new(reader, "sms.tencent", chosen(Provider::Tencent));
    let tencent = section.tencent();
    notes.extend(section.idle());
    let mut section = Section::new(reader, "sms.aliyun", chosen(Provider::Aliyun));
    let aliyun = section.aliyun();
    notes.extend(section.idle());
    let mut section = Section::new(reader, "sms.webhook", chosen(Provider::Webhook));
    let webhook = section.webhook();
    notes.extend(section.idle());
    match provider {
        Provider::None => Sms::None,
        Provider::Log => Sms::Log,
        Provider::Tencent => Sms::Tencent(Box::new(tencent)),
        Provider::Aliyun => Sms::Aliyun(Box::new(aliyun)),
        Provider::Webhook => Sms::Webhook(Box::new(webhook)),
    }
}

/// The section of one provider, while it is read.
struct Section<'r, 'a> {
    reader: &'r mut Reader<'a>,
    name: &'static str,
    chosen: bool,
    /// Whether anything without a default was given.
    filled: bool,
}

impl<'r, 'a> Section<'r, 'a> {
    fn new(reader: &'r mut Reader<'a>, name: &'static str, chosen: bool) -> Self {
        Self {
            reader,
            name,
            chosen,
            filled: false,
        }
    }

    fn tencent(&mut self) -> TencentOptions {
        let default = TencentOptions::default();
        TencentOptions {
            secret_id: self.needed("secret_id", text::word),
            secret_key: self.secret("secret_key", CLOUD),
            region: self.or("region", default.region, text::word),
            sdk_app_id: self.needed("sdk_app_id", text::word),
            sign_name: self.needed("sign_name", text::sign_name),
            templates: self.templates(default.templates.with_minutes),
            base_url: self.or("base_url", default.base_url, text::called_url),
            reach: Reach::default(),
        }
    }

    fn aliyun(&mut self) -> AliyunOptions {
        let default = AliyunOptions::default();
        AliyunOptions {
            access_key_id: self.needed("access_key_id", text::word),
            access_key_secret: self.secret("access_key_secret", CLOUD),
            sign_name: self.needed("sign_name", text::sign_name),
            templates: self.templates(default.templates.with_minutes),
            base_url: self.or("base_url", default.base_url, text::called_url),
            reach: Reach::default(),
        }
    }

    fn webhook(&mut self) -> WebhookOptions {
        let url = self.needed("url", webhook_url);
        WebhookOptions {
            url: Secret::new(&url),
            secret: self.secret("secret", WEBHOOK),
            reach: Reach::default(),
        }
    }

    fn templates(&mut self, with_minutes: bool) -> SmsTemplates {
        let changed = self.path("template_phone_changed");
        let minutes = self.path("with_minutes");
        SmsTemplates {
            register: self.needed("template_register", text::word),
            migrate: self.needed("template_migrate", text::word),
            new_phone: self.needed("template_new_phone", text::word),
            phone_changed: self.reader.unless_empty(&changed, text::word),
            with_minutes: self.reader.switch(&minutes, with_minutes),
        }
    }

    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn or<E: std::fmt::Display>(
        &mut self,
        key: &str,
        default: String,
        parse: impl FnOnce(&str) -> Result<String, E>,
    ) -> String {
        self.reader.parsed(&self.path(key), default, parse)
    }

    /// A text that the provider cannot do without.
    fn needed<E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<String, E>,
    ) -> String {
        let path = self.path(key);
        let filled = self.reader.is_filled(&path);
        self.filled |= filled;
        if self.chosen && !filled {
            self.reader.refuse(&path, missing(key));
        }
        self.reader.unless_empty(&path, parse).unwrap_or_default()
    }

    fn secret(&mut self, key: &str, wanted: Wanted) -> Secret {
        let path = self.path(key);
        let secret = secrets::one(self.reader, &path, wanted, self.chosen);
        self.filled |= secret.is_some();
        secret.unwrap_or_else(|| Secret::new(""))
    }

    /// What is said of a provider that was not chosen and yet filled in.
    fn idle(&self) -> Option<String> {
        let name = self.name;
        (self.filled && !self.chosen).then(|| {
            format!("{name} is filled in, and sms.provider names another: nothing is sent that way")
        })
    }
}

fn missing(key: &str) -> &'static str {
    match key {
        "template_register" => "is missing: set it to the template of codes to register with",
        "template_migrate" => {
            "is missing: set it to the template of codes to take over an imported account with \
             (it may be the one of template_register)"
        }
        "template_new_phone" => {
            "is missing: set it to the template of codes to a new number (it may be the one of \
             template_register)"
        }
        "url" => "is missing: set it to the address that takes the messages",
        _ => "is missing: set it to what the provider's console shows",
    }
}

/// Unlike other addresses it may hold a query, which often is the key to it.
fn webhook_url(text: &str) -> Result<String, &'static str> {
    let ascii = text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).ok().filter(|_| ascii);
    let fits = url.is_some_and(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && url.has_host() && plain
    });
    if !fits {
        return Err("has to be an address such as https://sms.example.com/send");
    }
    Ok(text.to_owned())
}
