//! What a configuration may say and had better not.

use reqwest::Url;

use super::{Config, Sms};

/// How long every `AppSecret` is that WeChat has handed out.
const APP_SECRET_LENGTH: usize = 32;

/// One sentence for each unwise thing.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(file) = &config.open_file {
        let file = file.display();
        warnings.push(format!(
            "{file} holds secrets and can be read by everybody on this machine: chmod o-rwx {file}"
        ));
    }
    for (index, app) in config.wechat.apps.iter().enumerate() {
        if app.secret.expose().chars().count() != APP_SECRET_LENGTH {
            warnings.push(format!(
                "wechat.apps[{index}].secret has not the {APP_SECRET_LENGTH} characters of an \
                 AppSecret: WeChat will refuse it"
            ));
        }
    }
    warnings.extend(addresses(config));
    warnings.extend(messages(config));
    warnings.extend(config.notes.iter().cloned());
    warnings
}

fn addresses(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let server = &config.server;
    if server.public_url.is_none() && server.listen.ip().is_unspecified() {
        warnings.push(
            "server.public_url is not set, and clients cannot reach the address of server.listen: \
             set it to the address that they see"
                .to_owned(),
        );
    }
    if server.public_url.as_deref().is_some_and(is_in_the_clear) {
        warnings.push(
            "server.public_url is http: login codes and tokens cross the network in the clear"
                .to_owned(),
        );
    }
    if is_in_the_clear(&config.wechat.base_url) {
        warnings.push(
            "wechat.base_url is http: the AppSecret crosses the network in the clear".to_owned(),
        );
    }
    if server
        .trusted_proxies
        .iter()
        .any(|net| net.prefix_len() == 0)
    {
        warnings.push(
            "server.trusted_proxies holds every address there is: anybody can claim any address \
             in X-Forwarded-For"
                .to_owned(),
        );
    }
    warnings
}

/// What goes wrong with messages that nobody sees go out.
fn messages(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let in_the_clear =
        |key: &str| format!("{key} is http: codes and numbers cross the network in the clear");
    match &config.sms {
        Sms::Log => warnings.push(
            "sms.provider is \"log\": every code stands in the log for whoever reads it, and nobody \
             gets a message. This is for development alone"
                .to_owned(),
        ),
        Sms::Tencent(options) if is_in_the_clear(&options.base_url) => {
            warnings.push(in_the_clear("sms.tencent.base_url"));
        }
        Sms::Aliyun(options) if is_in_the_clear(&options.base_url) => {
            warnings.push(in_the_clear("sms.aliyun.base_url"));
        }
        Sms::Webhook(options) if is_in_the_clear(options.url.expose()) => {
            warnings.push(in_the_clear("sms.webhook.url"));
        }
        _ => {}
    }
    let endpoint = config
        .avatars
        .as_ref()
        .and_then(|options| options.endpoint.as_deref());
    if endpoint.is_some_and(is_in_the_clear) {
        let warning = "avatars.endpoint is http: pictures cross the network in the clear";
        warnings.push(warning.to_owned());
    }
    warnings
}

/// Whether it is http to another machine.
fn is_in_the_clear(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_here(&url))
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}
