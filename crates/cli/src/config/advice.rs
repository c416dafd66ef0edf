//! What a configuration may say and had better not.

use reqwest::Url;

use super::Config;

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
