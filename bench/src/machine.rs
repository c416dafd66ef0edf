//! What the figures were seen on. What cannot be found out is said to be unknown.

use std::{fs, path::Path};

use serde::Serialize;

/// A few words on the machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// How many cores this process may use.
    pub(crate) cores: usize,
    /// What the processor calls itself.
    pub(crate) processor: String,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// What kind of file system the database is on.
    pub(crate) file_system: String,
    /// How many processes wanted to run, in the minute before the first measurement.
    pub(crate) load_before: String,
}

impl Machine {
    /// Looks around; `folder` is where the database is.
    pub(crate) fn look(folder: &Path) -> Self {
        Self {
            // Asked before the callers are pinned, this counts what the container allows.
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor().unwrap_or_else(unknown),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            file_system: read("/proc/mounts")
                .and_then(|mounts| file_system(&mounts, folder))
                .unwrap_or_else(unknown),
            load_before: read("/proc/loadavg")
                .and_then(|load| load.split(' ').next().map(str::to_owned))
                .unwrap_or_else(unknown),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

fn processor() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, name)| name.to_owned())
}

/// The type of the innermost mount that holds `folder`.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    mounts
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp2 xfs rw 0 0";
        let kind = |folder| file_system(mounts, Path::new(folder));
        assert_eq!(kind("/tmp/x").as_deref(), Some("tmpfs"));
        assert_eq!(kind("/tmp2").as_deref(), Some("xfs"));
        assert_eq!(kind("/tmp3").as_deref(), Some("ext4"));
        assert_eq!(file_system("", Path::new("/")), None);
    }
}
