//! One measurement: some seconds of load on one server, with what it cost that server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    callers::{Callers, Outcome},
    numbers::float,
    process::{Memory, Process},
    work::Work,
};

/// Load that is not counted, for caches and connections to be as they will be.
const WARM_UP: Duration = Duration::from_millis(300);

/// How hard and how long a server is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Requests at the same time.
    pub(crate) callers: usize,
    /// For how long.
    pub(crate) time: Duration,
}

/// What a measurement saw.
#[derive(Debug, Default)]
pub(crate) struct Measurement {
    /// As the callers saw it.
    pub(crate) outcome: Outcome,
    /// Processor time of the server.
    pub(crate) cpu: Duration,
    /// The server's memory at the end, with its peak meanwhile.
    pub(crate) memory: Memory,
}

impl Measurement {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        float(self.outcome.latencies.len()) / self.outcome.elapsed.as_secs_f64()
    }

    /// Milliseconds of the server's processor time for a thousand answers, good or not.
    pub(crate) fn cpu_per_thousand(&self) -> f64 {
        let failed = usize::try_from(self.outcome.failed).unwrap_or(usize::MAX);
        let answers = self.outcome.latencies.len().saturating_add(failed);
        self.cpu.as_secs_f64() * 1e6 / float(answers.max(1))
    }

    /// How much of its core the server used, from 0 to 1.
    pub(crate) fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / self.outcome.elapsed.as_secs_f64()
    }
}

/// Measures the server `process` at `address` under `work`.
pub(crate) async fn measure(
    process: &Process,
    address: SocketAddr,
    work: &Arc<Work>,
    load: Load,
) -> anyhow::Result<Measurement> {
    let mut callers = Callers::connect(address, load.callers).await?;
    let warm_up = callers.run(work, WARM_UP).await?;
    process.forget_peak()?;
    let before = process.cpu()?;
    let mut outcome = callers.run(work, load.time).await?;
    let cpu = process.cpu()?.saturating_sub(before);
    outcome.failed += warm_up.failed;
    outcome.first_failure = warm_up.first_failure.or(outcome.first_failure);
    Ok(Measurement {
        outcome,
        cpu,
        memory: process.memory()?,
    })
}
