//! `menjin doctor`: tries what the configuration names.

use std::{process::ExitCode, time::Duration};

use menjin_core::{Clock, LoginCode, Permission};
use menjin_messages::SendError;
use menjin_server::keys;
use menjin_store::ServiceRow;
use menjin_wechat::{Client, Error, Rejection};

use crate::{
    args::ConfigArgs,
    config::Config,
    output::{Failure, say},
    process::{self, SystemClock},
    wiring,
};

/// How far the clock may be off before tokens of one machine look wrong on another.
const CLOCK: Duration = Duration::from_secs(30);

/// What one look found: well, or what to do.
type Finding = Result<String, String>;

pub(super) fn run(args: &ConfigArgs) -> Result<ExitCode, Failure> {
    let config = wiring::load(args)?;
    say("ok       configuration")?;
    for warning in config.warnings() {
        say(format_args!("warning  configuration: {warning}"))?;
    }
    // Before the runtime, since this client brings one of its own.
    let clock = clock(&config);
    process::runtime()?.block_on(async {
        let mut stored = Vec::new();
        let mut well = tell("store", &store(&config, &mut stored).await)?;
        services(&config, &stored)?;
        for app in &config.wechat.apps {
            let found = wechat(&config, &app.appid).await;
            well &= tell(&format!("WeChat, {}", app.appid), &found)?;
        }
        well &= messages(&config).await?;
        well &= tell("clock", &clock)?;
        Ok(if well {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    })
}

fn tell(subject: &str, finding: &Finding) -> Result<bool, Failure> {
    match finding {
        Ok(words) => say(format_args!("ok       {subject}: {words}"))?,
        Err(words) => say(format_args!("FAILED   {subject}: {words}"))?,
    }
    Ok(finding.is_ok())
}

/// The store; `services` gets those that are kept there.
async fn store(config: &Config, services: &mut Vec<ServiceRow>) -> Finding {
    let store = wiring::store(config)
        .await
        .map_err(|error| error.to_string())?;
    store.check().await.map_err(|error| {
        format!(
            "{:#}. Is the database running, and store.url right?",
            anyhow::Error::from(error)
        )
    })?;
    let pending = store
        .pending()
        .await
        .map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
    if !pending.is_empty() {
        store.close().await;
        let migrations = pending.len();
        return Ok(format!(
            "reached; {migrations} migration(s) to apply, which `menjin serve` does"
        ));
    }
    let rows = keys::all(&store)
        .await
        .map_err(|failure| failure.to_string())?;
    *services = super::service::rows(&store)
        .await
        .map_err(|failure| failure.to_string())?;
    let sealed = rows.iter().filter(|row| row.removed_at.is_none());
    let opened = sealed.clone().filter(|row| {
        let place = format!("signing_keys/private_key/{}", row.kid);
        config.secrets.open(&place, &row.private_key).is_ok()
    });
    let (sealed, opened) = (sealed.count(), opened.count());
    store.close().await;
    if opened < sealed {
        return Err(format!(
            "{} of {sealed} signing keys cannot be opened with secrets.master_keys: put the former \
             master key back at the end of the list",
            sealed - opened
        ));
    }
    Ok(format!("reached, up to date, {opened} signing keys"))
}

/// The team's other services, if there are any.
fn services(config: &Config, stored: &[ServiceRow]) -> Result<(), Failure> {
    let configured = &config.services;
    if configured.is_empty() && stored.is_empty() {
        return Ok(());
    }
    let (few, many) = (configured.len(), stored.len());
    say(format_args!(
        "ok       services: {few} in the configuration, {many} in the database"
    ))?;
    for row in stored {
        if configured.iter().any(|other| other.id.as_str() == row.id) {
            let id = &row.id;
            say(format_args!(
                "warning  services: {id} is in both, and the secrets of both count: \
                 `menjin service remove {id}` takes it out of the database"
            ))?;
        }
    }
    let follow = Permission::Follow;
    let follows = |row: &ServiceRow| row.may.split(' ').any(|word| word == follow.as_str());
    let anybody =
        configured.iter().any(|service| service.may(follow)) || stored.iter().any(follows);
    if anybody && config.token.audience.is_empty() {
        say(
            "warning  services: token.audience is empty, so those that check tokens by themselves \
             will refuse all of them: name these services there",
        )?;
    }
    Ok(())
}

/// A code that cannot exist: what WeChat says of it tells whether it knows the app and its secret.
async fn wechat(config: &Config, appid: &menjin_core::Appid) -> Finding {
    let client = wiring::wechat(config).map_err(|error| error.to_string())?;
    let code = LoginCode::parse("menjin-doctor").map_err(|error| error.to_string())?;
    let said = Client::code_to_session(&client, appid, &code).await;
    match said {
        Err(Error::Answered(Rejection {
            errcode: 40_029, ..
        })) => Ok("answers, and knows the AppID and the AppSecret".to_owned()),
        Err(Error::Answered(Rejection {
            errcode, errmsg, ..
        })) => {
            let advice = match errcode {
                40_013 => {
                    "wechat.apps.appid is not known to WeChat; compare it with WeChat's console"
                }
                40_125 => {
                    "wechat.apps.secret is not the AppSecret; WeChat's console makes a new one"
                }
                40_164 => "add this server's address to the API IP allow-list in WeChat's console",
                40_243 => "the AppSecret is frozen; unfreeze it in WeChat's console",
                _ => "see `menjin errors`",
            };
            Err(format!("{errcode} {errmsg}: {advice}"))
        }
        Err(error) => {
            let base = &config.wechat.base_url;
            let error = anyhow::Error::from(error);
            Err(format!(
                "{error:#}. Can this machine reach {base}? wechat.ca_file helps behind a proxy that inspects TLS"
            ))
        }
        Ok(_) => Err(
            "a code that cannot exist was accepted: is wechat.base_url really WeChat?".to_owned(),
        ),
    }
}

/// Whoever carries messages and pictures, each of them if it is configured.
async fn messages(config: &Config) -> Result<bool, Failure> {
    let mut well = true;
    match wiring::messages::sms(config) {
        Ok(None) => {}
        Ok(Some(sender)) => {
            let found = carried(&sender.try_out().await, "the keys of [sms]");
            well &= tell("text messages", &found)?;
        }
        Err(failure) => well &= tell("text messages", &Err(failure.to_string()))?,
    }
    match wiring::messages::mail(config) {
        Ok(None) => {}
        Ok(Some(sender)) => {
            let found = carried(&sender.try_out().await, "mail.user and mail.password");
            well &= tell("mail", &found)?;
        }
        Err(failure) => well &= tell("mail", &Err(failure.to_string()))?,
    }
    match wiring::pictures(config) {
        Ok(None) => {}
        Ok(Some(pictures)) => {
            let tried = pictures.try_out().await;
            let found = tried.map(|()| "written, read and erased".to_owned());
            let found = found.map_err(|error| {
                format!(
                    "{error}. Are [avatars] and the rights of its key or folder as they should be?"
                )
            });
            well &= tell("pictures", &found)?;
        }
        Err(failure) => well &= tell("pictures", &Err(failure.to_string()))?,
    }
    Ok(well)
}

/// What a try without a message found; `keys` are what the operator would look at.
fn carried(tried: &Result<(), SendError>, keys: &str) -> Finding {
    match tried {
        Ok(()) => Ok("reached, and as far as can be told without a message all is well".to_owned()),
        Err(error @ SendError::Refused { .. }) => Err(format!("{error}. Are {keys} right?")),
        Err(error) => {
            let error = anyhow::Error::from(error.clone());
            Err(format!("{error:#}. Can this machine reach the provider?"))
        }
    }
}

/// Compares the clock with the `Date` of whoever answers at WeChat's address.
fn clock(config: &Config) -> Finding {
    let asked = wiring::http_client(CLOCK / 6)
        .and_then(|client| Ok(client.head(&config.wechat.base_url).send()?));
    let date = asked.ok().and_then(|reply| {
        let date = reply.headers().get("date")?.to_str().ok()?.to_owned();
        jiff::fmt::rfc2822::parse(&date).ok()
    });
    let Some(date) = date else {
        return Ok("cannot be compared, since WeChat's address tells no time".to_owned());
    };
    let off = SystemClock::new().now() - date.timestamp().as_millisecond();
    let off = Duration::from_millis(off.unsigned_abs());
    if off > CLOCK {
        return Err(format!(
            "off by {} s: set the machine's clock by NTP",
            off.as_secs()
        ));
    }
    Ok("within half a minute of WeChat's".to_owned())
}
