//! `menjin simulator`

use std::process::ExitCode;

use menjin_simulator::{Options, Simulator};

use crate::{
    args::SimulatorArgs,
    config::LogFormat,
    logging,
    output::{Failure, say},
    process,
};

pub(super) fn run(args: SimulatorArgs) -> Result<ExitCode, Failure> {
    let _logging = logging::start(LogFormat::Auto, "info", None)?;
    process::runtime()?.block_on(async {
        let (listener, address) = process::listen(args.listen, "--listen")?;
        let appids: Vec<_> = args.apps.iter().map(|app| app.appid.clone()).collect();
        let known = match appids.as_slice() {
            [] => "any appid, any secret".to_owned(),
            appids => appids.join(", "),
        };
        let example = format!(
            "curl -s http://{address}/simulator/login -H 'Content-Type: application/json' \
             -d '{{\"person\": \"小王\"}}'"
        );
        say(format_args!(
            "WeChat is played at http://{address} for {known}.\n\n\
             What wx.login() would give:\n\n  {example}\n\nCtrl-C stops it."
        ))?;
        let simulator = Simulator::new(Options { apps: args.apps });
        let stop = process::Signals::watch()?.first();
        let served = simulator.serve(listener, stop).await;
        served.map_err(|error| Failure::Broken(error.into()))?;
        Ok(ExitCode::SUCCESS)
    })
}
