//! The command line.

mod service;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

pub(crate) use self::service::ServiceCommand;
use crate::people::Format;

/// Sign-in for WeChat mini programs: one call, one token, one binary
///
/// `menjin dev` needs nothing and shows a signed-in user. `menjin init` writes what `menjin serve`
/// needs in production.
#[derive(Debug, Parser)]
#[command(name = "menjin", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file [default: menjin.toml, if there is one]
    #[arg(short, long, value_name = "FILE", env = "MENJIN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try Menjin on this machine: server, WeChat simulator and a phone in the browser
    ///
    /// Needs nothing: no AppID, no database, no configuration. What it makes is kept in one folder.
    /// The environment variables of `menjin serve` (`menjin config example` lists them) apply here
    /// as well.
    Dev(DevArgs),
    /// Serve in production
    Serve(ConfigArgs),
    /// Write a commented configuration with fresh keys
    Init(InitArgs),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Try everything the configuration names, and say what to do about what fails
    Doctor(ConfigArgs),
    /// Bring the database's tables up to date
    Migrate(MigrateArgs),
    /// Look after the keys that sign tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// Let the team's other services ask Menjin, each with a secret of its own
    ///
    /// These are the services of the database. Others stand in the configuration, in its sections
    /// `services`; they are listed here and changed there.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Bring people over from elsewhere, as CSV or JSON lines
    ///
    /// One person a row. The columns are phone, which is needed, and nickname, avatar, campus, role
    /// (user or admin), mail, appid, openid, unionid and each of profile.fields by its name, in any
    /// order. An empty cell, or a column that is not there, stands for nothing. An openid without an appid is of the default app; somebody
    /// with several has them in one cell with blanks between, as have appid and unionid ("-" is an
    /// unknown one).
    ///
    /// Every row is checked before one is written. Whoever is new gets an account that waits for
    /// them until they prove their number; until then, another import makes it what the file says.
    /// What its person has claimed is left alone. Running it again doubles nobody, so it may be stopped at
    /// any time.
    Import(ImportArgs),
    /// Write every account, as `menjin import` reads it
    ///
    /// Cells are written as they are, so that they come back the same: one that begins with =, +, -
    /// or @ is a formula to a spreadsheet, and names are what people chose. In a spreadsheet, open
    /// the file as text. Accounts without a phone number are left out.
    Export(ExportArgs),
    /// Play WeChat for any back end, in any language
    ///
    /// Point your back end's WeChat address (api.weixin.qq.com) here. Without --app, every appid
    /// and secret is accepted.
    Simulator(SimulatorArgs),
    /// Print the API as OpenAPI 3.1
    Openapi,
    /// Print what each error means and what to do about it, as Markdown
    ///
    /// Every number and word that Menjin answers with, and those of WeChat's that it can meet.
    Errors(ErrorsArgs),
    /// Print a completion script for a shell
    Completions {
        /// Whose completions
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one a command into a folder
    Man {
        /// The folder; without it, the main page goes to standard output
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Check compact JWS from standard input, one a line, against a key
    #[command(hide = true)]
    JwsVerify {
        /// The key, as a JWK
        #[arg(long, value_name = "FILE")]
        jwk: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// The address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The address of the WeChat simulator; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) simulator_listen: SocketAddr,
    /// The folder that everything is kept in; delete it to start over
    #[arg(long, value_name = "FOLDER", default_value = "menjin-dev")]
    pub(crate) data_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
#[expect(
    clippy::doc_markdown,
    reason = "help shows these words as they stand here"
)]
pub(crate) struct InitArgs {
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "menjin.toml")]
    pub(crate) output: PathBuf,
    /// The mini program's AppID; asked for on a terminal
    #[arg(long)]
    pub(crate) appid: Option<String>,
    /// A file that holds the AppSecret, which does not belong on a command line; asked for on a
    /// terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The database: sqlite:///path/menjin.db or postgres://user:password@host/database
    /// [default: menjin.db beside the configuration]
    #[arg(long, value_name = "URL")]
    pub(crate) store_url: Option<String>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    // Said here and not in a comment, which rustdoc would take to hold a link.
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        help = "The address that clients see, such as https://login.example.com"
    )]
    pub(crate) public_url: String,
    /// Write over a file that is there; its keys are lost
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every key with its meaning and its default
    Example,
    /// Say whether the configuration can be used, and every problem if not
    Check(ConfigArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Show the keys: which one signs, which is next, which are on their way out
    List {
        #[command(flatten)]
        config: ConfigArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let the next key sign, as soon as everybody can know it
    Rotate(ConfigArgs),
    /// Take a key away at once: every token that it signed is refused within five seconds
    Remove {
        #[command(flatten)]
        config: ConfigArgs,
        /// Which one; `menjin key list` shows them
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The file, in UTF-8; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How it is written [default: told by the ending: .csv or .jsonl]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Check everything, say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The file, which only its owner may read; without it, standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// How it is written [default: told by the ending, else CSV]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ErrorsArgs {
    /// The language of the explanations; numbers and words are the same in both
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) language: Language,
}

/// A language that people are spoken to in.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Chinese
    Zh,
}

impl From<Language> for menjin_server::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::Zh => Self::Chinese,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct SimulatorArgs {
    /// The address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) listen: SocketAddr,
    /// A mini program that is known, with its secret; may be given several times
    #[arg(long = "app", value_name = "APPID:SECRET", value_parser = app)]
    pub(crate) apps: Vec<menjin_simulator::App>,
}

fn app(text: &str) -> Result<menjin_simulator::App, String> {
    match text.split_once(':') {
        Some((appid, secret)) if !appid.is_empty() && !secret.is_empty() => {
            Ok(menjin_simulator::App {
                appid: appid.to_owned(),
                secret: secret.to_owned(),
            })
        }
        _ => Err("write it as APPID:SECRET, such as wx0123456789abcdef:secret".to_owned()),
    }
}
