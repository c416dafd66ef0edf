//! The words of every text message and mail.
//!
//! Text messages are in Chinese; a provider with templates of its own sends those instead. Mails
//! are in Chinese and then in English, as plain text and as HTML that needs nothing from elsewhere.

use std::time::Duration;

use menjin_core::{Email, verification::Purpose};

use crate::{
    mail::Mail,
    sms::{NoticeKind, SmsKind},
};

/// The text of a message. Secret, since a code is in it.
#[must_use]
pub fn sms(kind: &SmsKind) -> String {
    match kind {
        SmsKind::Code {
            code,
            minutes,
            purpose,
        } => {
            let (code, purpose) = (code.expose(), purpose_in_chinese(*purpose));
            format!(
                "您的验证码是 {code}，用于{purpose}，{minutes} 分钟内有效。\
                 请勿告诉他人；如非本人操作，请忽略本短信。"
            )
        }
        SmsKind::Notice {
            kind: NoticeKind::PhoneChanged,
        } => "您的账号已更换手机号，本号码不再用于该账号。如非本人操作，请尽快联系管理员。"
            .to_owned(),
    }
}

const fn purpose_in_chinese(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Register => "注册",
        Purpose::Migrate => "迁移账号",
        Purpose::NewPhone => "更换手机号",
        Purpose::NewEmail => "更换邮箱",
    }
}

/// Words mails in the name of a service.
#[derive(Clone, Debug)]
pub struct MailWords {
    service: String,
}

/// One mail before it is set.
struct Letter<'a> {
    /// In Chinese, and in English.
    subject: [&'a str; 2],
    /// Paragraphs in Chinese.
    chinese: &'a [&'a str],
    /// Paragraphs in English.
    english: &'a [&'a str],
    /// The link, and what it is called in Chinese and English.
    link: Option<(&'a str, [&'a str; 2])>,
}

impl MailWords {
    /// For a service that people know by the name `service`.
    #[must_use]
    pub fn new(service: &str) -> Self {
        let service = service.chars().filter(|c| !c.is_control()).collect();
        Self { service }
    }

    /// Asks whether the address is its owner's: `link` says yes, for as long as `valid`.
    #[must_use]
    pub fn confirmation(&self, to: &Email, link: &str, valid: Duration, request_id: &str) -> Mail {
        let [chinese, english] = span(valid);
        let letter = Letter {
            subject: ["请确认您的邮箱", "Please confirm your mail address"],
            chinese: &[
                "有人（应该是您）要把这个邮箱地址用于自己的账号。请打开下面的链接，并在页面上按“确认”。",
                &format!("链接在{chinese}内有效，只能使用一次。"),
                "如非本人操作，请忽略本邮件，不会有任何改变。",
            ],
            english: &[
                "Somebody, probably you, wants to use this mail address for their account. \
                 Please open the link and press the button on the page.",
                &format!("The link is good for {english}, and once."),
                "If it was not you, ignore this mail and nothing will change.",
            ],
            link: Some((link, ["确认邮箱", "Confirm the address"])),
        };
        self.set(to, &letter, request_id)
    }

    /// Tells the former address that the account has another now.
    #[must_use]
    pub fn mail_changed(&self, to: &Email, request_id: &str) -> Mail {
        let letter = Letter {
            subject: ["您的邮箱已更换", "Your mail address was changed"],
            chinese: &[
                "您的账号已更换邮箱，本地址不再用于该账号。",
                "如非本人操作，请尽快联系管理员。",
            ],
            english: &[
                "Your account has another mail address now. This one is no longer used for it.",
                "If it was not you, please tell an administrator soon.",
            ],
            link: None,
        };
        self.set(to, &letter, request_id)
    }

    /// Tells the owner of an account that it has another phone number now.
    #[must_use]
    pub fn phone_changed(&self, to: &Email, request_id: &str) -> Mail {
        let letter = Letter {
            subject: ["您的手机号已更换", "Your phone number was changed"],
            chinese: &[
                "您的账号已更换手机号，原号码不再用于该账号。",
                "如非本人操作，请尽快联系管理员。",
            ],
            english: &[
                "Your account has another phone number now. The former one is no longer used for it.",
                "If it was not you, please tell an administrator soon.",
            ],
            link: None,
        };
        self.set(to, &letter, request_id)
    }

    fn set(&self, to: &Email, letter: &Letter<'_>, request_id: &str) -> Mail {
        let [chinese, english] = letter.subject;
        let subject = format!("【{}】{chinese} / {english}", self.service);
        Mail {
            to: to.clone(),
            text: self.text(letter),
            html: self.html(letter, &subject),
            subject,
            link: letter.link.map(|(link, _)| link.to_owned()),
            request_id: request_id.to_owned(),
        }
    }

    fn text(&self, letter: &Letter<'_>) -> String {
        let part = |paragraphs: &[&str], greeting: String| {
            let link = letter.link.map(|(link, _)| link.to_owned());
            let paragraphs = paragraphs.iter().map(|text| (*text).to_owned());
            let mut lines: Vec<String> = paragraphs.chain([greeting]).collect();
            if let Some(link) = link {
                lines.insert(1, link);
            }
            lines.join("\n\n")
        };
        let service = &self.service;
        let chinese = part(letter.chinese, format!("—— {service}"));
        let english = part(letter.english, format!("-- {service}"));
        format!("{chinese}\n\n----------\n\n{english}\n")
    }

    fn html(&self, letter: &Letter<'_>, subject: &str) -> String {
        let part = |paragraphs: &[&str], language: usize| {
            let mut lines: Vec<String> = paragraphs.iter().map(|text| escape(text)).collect();
            if let Some((link, names)) = letter.link {
                let (link, name) = (escape(link), names.get(language).copied());
                let name = escape(name.unwrap_or_default());
                lines.insert(1, format!("<a href=\"{link}\">{name}</a><br>{link}"));
            }
            lines.push(escape(&self.service));
            let lines: Vec<_> = lines
                .iter()
                .map(|line| format!("<p>{line}</p>\n"))
                .collect();
            lines.concat()
        };
        let (chinese, english) = (part(letter.chinese, 0), part(letter.english, 1));
        let title = escape(subject);
        format!(
            "<!doctype html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\">\
             <title>{title}</title></head>\n<body>\n{chinese}<hr>\n\
             <div lang=\"en\">\n{english}</div>\n</body>\n</html>\n"
        )
    }
}

/// A time in Chinese and English: whole hours, or else minutes.
fn span(time: Duration) -> [String; 2] {
    let minutes = time.as_secs() / 60;
    let (count, chinese, english) = if minutes >= 60 && minutes.is_multiple_of(60) {
        (minutes / 60, "小时", "hour")
    } else {
        (minutes, "分钟", "minute")
    };
    let plural = if count == 1 { "" } else { "s" };
    [
        format!(" {count} {chinese}"),
        format!("{count} {english}{plural}"),
    ]
}

/// Text as it stands in HTML, within and outside quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
