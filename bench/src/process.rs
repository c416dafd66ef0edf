//! A server as a process: started on its core, read through `/proc`, stopped by its id.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::{
    param::clock_ticks_per_second,
    process::{Pid, Signal, kill_process},
};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long a server may take to stop when it is asked to.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often something is looked at that nothing announces.
const GLANCE: Duration = Duration::from_millis(1);

/// Where standard output goes.
pub(crate) enum Output {
    /// To this program, which reads the first line.
    Line,
    /// To a file, with standard error.
    File(PathBuf),
}

/// Killed when it is dropped, and waited for.
pub(crate) struct Process {
    child: Child,
}

/// Memory of a process, in KiB as the kernel counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// The most that was resident since the peak was last forgotten.
    pub(crate) peak: u64,
}

impl Process {
    /// Starts `command` on `core`, where it stays.
    pub(crate) fn start(core: usize, command: &[OsString], output: Output) -> anyhow::Result<Self> {
        let launcher = std::env::current_exe().context("cannot find this program")?;
        let (stdout, stderr) = match output {
            Output::Line => (Stdio::piped(), Stdio::inherit()),
            Output::File(path) => {
                let file = File::create(&path)
                    .with_context(|| format!("cannot create {}", path.display()))?;
                (Stdio::from(file.try_clone()?), Stdio::from(file))
            }
        };
        let child = Command::new(launcher)
            .args(["launch", "--core", &core.to_string(), "--"])
            .args(command)
            // A variable such as MENJIN_LOG__LEVEL would win over the configuration.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .context("cannot start a server")?;
        Ok(Self { child })
    }

    /// The first line of standard output, if that is [`Output::Line`]. Waits for it.
    pub(crate) fn first_line(&mut self) -> anyhow::Result<String> {
        let output = self.child.stdout.take().context("nothing to read from")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(!line.is_empty(), "it ended and said nothing");
        Ok(line)
    }

    /// The processor time that it has used so far, in the kernel and outside of it.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let text = self.read("stat")?;
        let ticks = ticks(&text).context("a line of /proc/PID/stat that is none")?;
        let millis = ticks.saturating_mul(1000) / clock_ticks_per_second().max(1);
        Ok(Duration::from_millis(millis))
    }

    /// What it holds in memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let text = self.read("status")?;
        let field = |name| kibibytes(&text, name).with_context(|| format!("no {name} in /proc"));
        Ok(Memory {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    /// Lets the peak of its memory start anew, from what is resident now.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        // proc(5): 5 resets the peak resident set size.
        fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("a process without an id")?, Signal::TERM)?;
        let mut glance = glances();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            glance.tick().await;
        }
        anyhow::bail!(
            "it was asked to end and did not within {} s",
            PATIENCE.as_secs()
        )
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A rhythm for looking at what nothing announces.
pub(crate) fn glances() -> tokio::time::Interval {
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    glances
}

/// User and system time of a line of `/proc/PID/stat`; proc(5) counts them as fields 14 and 15.
fn ticks(stat: &str) -> Option<u64> {
    // The name in field 2 may hold blanks and brackets, so count from its end.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 117 0 0 0 31 11 0 0 20 0 1 0 194026";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        let status = "Name:\tmenjin\nVmHWM:\t   30720 kB\nVmRSS:\t   20480 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(20480));
        assert_eq!(kibibytes(status, "VmHWM:"), Some(30720));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }
}
