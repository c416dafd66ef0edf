//! `menjin config`

use crate::{
    args::ConfigCommand,
    config::EXAMPLE,
    output::{Failure, say},
    wiring,
};

pub(super) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Example => say(EXAMPLE.trim_end()),
        ConfigCommand::Check(args) => {
            let config = wiring::load(args)?;
            for warning in config.warnings() {
                say(format_args!("warning: {warning}"))?;
            }
            say("the configuration can be used; `menjin doctor` tries what it names")
        }
    }
}
