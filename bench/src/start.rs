//! How soon a server is ready, and what it holds when nothing happens.

use std::time::Duration;

use tokio::time::{Instant, interval_at};

use crate::{menjin::Installation, report::Start};

const STARTS: usize = 7;
/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(1);

/// Starts the server on its database, several times. No other may run on it.
pub(crate) async fn measure(installation: &Installation, people: u64) -> anyhow::Result<Start> {
    let mut ready_after_ms = Vec::new();
    let mut idle_resident = 0;
    for _ in 0..STARTS {
        let menjin = installation.start().await?;
        ready_after_ms.push(menjin.ready_after.as_secs_f64() * 1000.0);
        interval_at(Instant::now() + IDLE, IDLE).tick().await;
        idle_resident = menjin.process.memory()?.resident.max(idle_resident);
        menjin.stop().await?;
    }
    ready_after_ms.sort_by(f64::total_cmp);
    Ok(Start {
        people,
        ready_after_ms,
        idle_resident,
    })
}
