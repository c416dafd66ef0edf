//! Logs on standard output, and traces by OTLP where the operator wants them.

use std::{io::IsTerminal, time::Duration};

use anyhow::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{config::LogFormat, output::Failure, wiring};

/// Logging under way; [`Logging::finish`] sends what is left of the traces.
pub(crate) struct Logging {
    traces: Option<SdkTracerProvider>,
}

/// Starts to log.
pub(crate) fn start(
    format: LogFormat,
    level: &str,
    otlp_endpoint: Option<&str>,
) -> Result<Logging, Failure> {
    let terminal = match format {
        LogFormat::Json => false,
        LogFormat::Terminal => true,
        LogFormat::Auto => std::io::stdout().is_terminal(),
    };
    let lines = tracing_subscriber::fmt::layer();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if terminal {
        Box::new(
            lines
                .with_target(false)
                .with_ansi(std::io::stdout().is_terminal())
                .with_filter(filter(level)?),
        )
    } else {
        Box::new(lines.json().flatten_event(true).with_filter(filter(level)?))
    };
    let traces = otlp_endpoint.map(exporter).transpose()?;
    let spans = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("menjin"))
            .with_filter(quiet(EnvFilter::new("info,menjin_server=debug")))
    });
    let started = Registry::default().with(lines).with(spans).try_init();
    started.context("logging cannot be started")?;
    std::panic::set_hook(Box::new(|panic| {
        // The payload may hold anything; the place is enough to find it.
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
    Ok(Logging { traces })
}

fn filter(level: &str) -> Result<EnvFilter, Failure> {
    let filter = EnvFilter::try_new(level);
    let complaint = |error| Failure::refused(format!("log.level: {error}"));
    filter.map(quiet).map_err(complaint)
}

/// The AppSecret stands in the URL of a call to WeChat: what could print URLs is never louder than
/// this, whatever the level.
fn quiet(filter: EnvFilter) -> EnvFilter {
    let targets = menjin_wechat::QUIET_TARGETS.iter();
    let directives = targets.filter_map(|target| format!("{target}=info").parse().ok());
    directives.fold(filter, EnvFilter::add_directive)
}

/// Traces leave from a thread of their own, so this client blocks: one that needs the runtime would
/// never be polled there.
fn exporter(endpoint: &str) -> Result<SdkTracerProvider, Failure> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(wiring::http_client(Duration::from_secs(10))?)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()
        .context("traces cannot be sent; see telemetry.otlp_endpoint")?;
    let resource = Resource::builder().with_service_name("menjin").build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource);
    Ok(provider.build())
}

impl Logging {
    /// Sends what is left of the traces.
    pub(crate) fn finish(self) {
        if let Some(traces) = self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}
