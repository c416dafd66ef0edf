//! Which core runs what.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Two different cores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    /// Menjin's or the bare framework's, never both at once.
    pub(crate) server: usize,
    /// For everything else.
    pub(crate) callers: usize,
}

impl Cores {
    /// The first two that this process may use.
    pub(crate) fn pick() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot tell which cores may be used")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (allowed.next(), allowed.next()) {
            (Some(server), Some(callers)) => Ok(Self { server, callers }),
            _ => anyhow::bail!("two cores are needed: one for the server, one for its callers"),
        }
    }
}

/// Keeps this thread, and what it starts, on one core.
pub(crate) fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("cannot stay on core {core}"))
}
