//! `menjin service` on the command line.

use clap::{
    Subcommand,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use menjin_core::{Instant, Permission, ServiceId};

use super::ConfigArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Add a service, and show its secret once
    ///
    /// The secret alone goes to standard output, and the rest to standard error. A server that runs
    /// lets the service in within seconds.
    #[command(after_help = ADD_EXAMPLE)]
    Add {
        #[command(flatten)]
        config: ConfigArgs,
        /// Its name: 1 to 64 letters, digits, dots, hyphens and underscores
        #[arg(value_parser = ServiceId::parse)]
        id: ServiceId,
        /// What it may ask, with commas between
        #[arg(
            long,
            value_name = "WORDS",
            required = true,
            value_delimiter = ',',
            value_parser = permissions()
        )]
        may: Vec<Permission>,
        /// Write nothing down, and print a section for the configuration to standard error
        #[arg(long)]
        as_config: bool,
    },
    /// Show every service, of the database and of the configuration
    List {
        #[command(flatten)]
        config: ConfigArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a service another secret, and show it once
    ///
    /// The former secret counts for a day more, so that the service can be given the new one in
    /// peace. The one before that counts no more.
    Rotate {
        #[command(flatten)]
        config: ConfigArgs,
        /// Which one; `menjin service list` shows them
        #[arg(value_parser = ServiceId::parse)]
        id: ServiceId,
        /// How long the former secret still counts, such as 90s, 30m, 24h or 7d; 0 ends it at once
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = period)]
        former_for: Instant,
    },
    /// Take a service away: it is refused within five seconds
    Remove {
        #[command(flatten)]
        config: ConfigArgs,
        /// Which one; `menjin service list` shows them
        #[arg(value_parser = ServiceId::parse)]
        id: ServiceId,
    },
}

/// What stands below the help of `menjin service add`.
const ADD_EXAMPLE: &str = "\
Examples:
  menjin service add repairs --may introspect,follow > repairs.secret
  menjin service add repairs --may introspect --as-config > repairs.secret 2>> menjin.toml";

/// The longest that a former secret may count.
const LONGEST_FORMER: Instant = 30 * 24 * 3_600_000;

/// The words of `--may`, each with what it stands for.
fn permissions() -> impl TypedValueParser<Value = Permission> {
    let values = Permission::ALL.map(|permission| {
        let meaning = match permission {
            Permission::Introspect => "what a token says, and whether it counts",
            Permission::Revoke => "that a token counts no more",
            Permission::Follow => "the feed of all that counts no more",
            Permission::WechatToken => "WeChat's own access token of a mini program",
        };
        PossibleValue::new(permission.as_str()).help(meaning)
    });
    PossibleValuesParser::new(values)
        .try_map(|word| Permission::parse(&word).ok_or("there is no such word"))
}

/// A time in words such as 24h, in milliseconds.
fn period(text: &str) -> Result<Instant, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let wrong = || "write it as 90s, 30m, 24h or 7d, or 0".to_owned();
    let split = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = match split {
        Some(split) => split,
        None if text == "0" => (text, 1),
        None => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let period = Instant::from(number) * seconds * 1000;
    if period > LONGEST_FORMER {
        return Err("a former secret counts for 30d at most".to_owned());
    }
    Ok(period)
}
