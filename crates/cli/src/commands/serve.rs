//! `menjin serve`

use std::process::ExitCode;

use crate::{args::ConfigArgs, logging, output::Failure, process, wiring};

pub(super) fn run(args: &ConfigArgs) -> Result<ExitCode, Failure> {
    let config = wiring::load(args)?;
    let otlp = config.telemetry.otlp_endpoint.as_deref();
    let logging = logging::start(config.log.format, &config.log.level, otlp)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let code = process::runtime()?.block_on(async {
        let signals = process::Signals::watch()?;
        let (public, address) = process::listen(config.server.listen, "server.listen")?;
        let management = match config.server.management_listen {
            Some(listen) => Some(process::listen(listen, "server.management_listen")?),
            None => None,
        };
        let _lock = wiring::lock(&config)?;
        let outside = wiring::outside(&config)?;
        let app = wiring::app(&config, outside, address).await?;
        let routers = process::Routers {
            public: (public, menjin_server::public(&app)),
            management: management.map(|(listener, address)| {
                tracing::info!(%address, "management listens");
                (listener, menjin_server::management(&app))
            }),
        };
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listens");
        process::serve(app, routers, signals).await
    });
    logging.finish();
    code
}
