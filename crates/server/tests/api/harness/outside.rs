//! Everybody whom a server asks, as tests have them: the simulator plays WeChat, and keeps the
//! messages that people would have got.

use std::{path::PathBuf, sync::Arc};

use menjin_core::{Appid, Secret};
use menjin_messages::{LogMail, LogSms, LoggedMail, LoggedSms};
use menjin_server::{Options, Outside, Pictures, PicturesOptions};
use menjin_simulator::{Mail, Simulator, Sms};

use super::{SECRET, TestClock};

pub(super) fn outside(
    options: &Options,
    (wechat, store_url): (&str, &str),
    simulator: &Simulator,
    clock: Arc<TestClock>,
) -> Outside {
    let appids = options.apps.iter().map(|app| &app.appid);
    let (sms, mail) = (simulator.clone(), simulator.clone());
    Outside {
        wechat: client(appids, wechat, options, clock),
        sms: Some(Arc::new(LogSms::new(Arc::new(move |logged| {
            let LoggedSms { to, text, code } = logged;
            sms.sms_arrived(Sms { to, text, code });
        })))),
        mail: Some(Arc::new(LogMail::new(Arc::new(move |logged| {
            let LoggedMail {
                to,
                subject,
                text,
                html,
                link,
            } = logged;
            mail.mail_arrived(Mail {
                to,
                subject,
                text,
                html,
                link,
            });
        })))),
        pictures: Some(pictures(store_url)),
    }
}

fn pictures(store_url: &str) -> Pictures {
    let location = format!("file://{}", folder(store_url).display());
    let options = PicturesOptions {
        location,
        ..PicturesOptions::default()
    };
    Pictures::open(options).unwrap()
}

/// Where the pictures of a test lie; its replicas have the same database, and so the same folder.
pub(crate) fn folder(store_url: &str) -> PathBuf {
    if let Some(path) = store_url.strip_prefix("sqlite://") {
        return PathBuf::from(path).with_file_name("pictures");
    }
    let (_, name) = store_url.rsplit_once('/').unwrap();
    std::env::temp_dir().join(format!("{name}-pictures"))
}

fn client<'a>(
    appids: impl Iterator<Item = &'a Appid>,
    wechat: &str,
    options: &Options,
    clock: Arc<TestClock>,
) -> menjin_wechat::Client {
    let apps = appids.map(|appid| menjin_wechat::App {
        appid: appid.clone(),
        secret: Secret::new(SECRET),
    });
    let wechat_options = menjin_wechat::Options {
        base_url: wechat.to_owned(),
        timeout: options.wechat_timeout,
        ..menjin_wechat::Options::default()
    };
    menjin_wechat::Client::new(wechat_options, apps.collect(), clock).unwrap()
}
