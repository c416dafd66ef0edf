//! Who carries text messages and mails.

use std::sync::Arc;

use menjin_messages::{
    AliyunSms, LogMail, LogSms, LoggedMail, LoggedSms, MailSender, Reach, SetupError, SmsSender,
    SmtpMail, TencentSms, WebhookSms,
};
use menjin_simulator::{Mail, Simulator};

use crate::{
    config::{Config, Sms},
    output::Failure,
    process::SystemClock,
};

/// Who sends text messages, if anybody does.
pub(crate) fn sms(config: &Config) -> Result<Option<Arc<dyn SmsSender>>, Failure> {
    let clock = Arc::new(SystemClock::new());
    let reach = reach(config);
    let made: Result<Arc<dyn SmsSender>, _> = match &config.sms {
        Sms::None => return Ok(None),
        Sms::Log => Ok(Arc::new(LogSms::new(Arc::new(|sms| log(&sms))))),
        Sms::Tencent(options) => {
            let mut options = options.as_ref().clone();
            options.reach = reach;
            TencentSms::new(options, clock).map(|sender| Arc::new(sender) as _)
        }
        Sms::Aliyun(options) => {
            let mut options = options.as_ref().clone();
            options.reach = reach;
            AliyunSms::new(options, clock).map(|sender| Arc::new(sender) as _)
        }
        Sms::Webhook(options) => {
            let mut options = options.as_ref().clone();
            options.reach = reach;
            WebhookSms::new(&options, clock).map(|sender| Arc::new(sender) as _)
        }
    };
    made.map(Some).map_err(|error| refused("sms", error))
}

/// Who sends mails, if anybody does.
pub(crate) fn mail(config: &Config) -> Result<Option<Arc<dyn MailSender>>, Failure> {
    let Some(options) = &config.mail else {
        return Ok(None);
    };
    let mut options = options.clone();
    options.reach = reach(config);
    let made = SmtpMail::new(options, Arc::new(SystemClock::new()));
    let made = made.map_err(|error| refused("mail", error))?;
    Ok(Some(Arc::new(made)))
}

/// The simulator keeps every text message, for its page to show.
pub(crate) fn simulated_sms(simulator: &Simulator) -> Arc<dyn SmsSender> {
    let simulator = simulator.clone();
    Arc::new(LogSms::new(Arc::new(move |logged| {
        let LoggedSms { to, text, code } = logged;
        simulator.sms_arrived(menjin_simulator::Sms { to, text, code });
    })))
}

/// The simulator keeps every mail, for its page to show.
pub(crate) fn simulated_mail(simulator: &Simulator) -> Arc<dyn MailSender> {
    let simulator = simulator.clone();
    Arc::new(LogMail::new(Arc::new(move |logged| {
        let LoggedMail {
            to,
            subject,
            text,
            html,
            link,
        } = logged;
        simulator.mail_arrived(Mail {
            to,
            subject,
            text,
            html,
            link,
        });
    })))
}

/// The one place where a code is logged: an operator asked for it in so many words.
fn log(sms: &LoggedSms) {
    let LoggedSms { to, text, code } = sms;
    tracing::warn!(to, code, text, "a text message that nobody else gets");
}

/// Whoever inspects TLS on the way to WeChat does so on the way to others.
fn reach(config: &Config) -> Reach {
    Reach {
        ca_file: config.wechat.ca_file.clone(),
        ..Reach::default()
    }
}

fn refused(section: &str, error: SetupError) -> Failure {
    let error = anyhow::Error::from(error);
    Failure::refused(format!("[{section}] cannot be used: {error:#}"))
}
