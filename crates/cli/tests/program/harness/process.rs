//! Processes: what they say, how they are told to stop, what they cost. None outlives its test.

use std::{
    fs,
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{PATIENCE, eventually, within};

/// A process under way, with everything that it says.
pub(crate) struct Program {
    child: Child,
    out: Captured,
    err: Captured,
    readers: Vec<JoinHandle<()>>,
    deaf: Arc<AtomicBool>,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn read(&self, mut from: impl Read + Send + 'static, deaf: &Arc<AtomicBool>) -> JoinHandle<()> {
        let (into, deaf) = (self.0.clone(), deaf.clone());
        thread::spawn(move || {
            let mut part = [0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut part) {
                into.lock().unwrap().extend(&part[..count]);
                if deaf.load(Ordering::SeqCst) {
                    return;
                }
            }
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    Program::start(command).end(PATIENCE)
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let (out, err) = (Captured::default(), Captured::default());
        let deaf = Arc::<AtomicBool>::default();
        let readers = vec![
            out.read(child.stdout.take().unwrap(), &deaf),
            err.read(child.stderr.take().unwrap(), &deaf),
        ];
        Self {
            child,
            out,
            err,
            readers,
            deaf,
        }
    }

    /// Hears one thing more on each of its outputs and then closes that.
    pub(crate) fn stop_reading(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output and standard error so far.
    pub(crate) fn said(&self) -> String {
        format!("{}\n{}", self.out.text(), self.err.text())
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for something on standard output.
    pub(crate) fn hear<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, || {
            let lives = self.lives();
            let found = find(&self.out.text());
            assert!(found.is_some() || lives, "ended early: {}", self.said());
            found
        })
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(sent.success(), "{script}");
    }

    /// Waits for the end, so long and no longer.
    pub(crate) fn end(mut self, limit: Duration) -> Ran {
        let status: ExitStatus = within(limit, "the end of a process", || {
            self.child.try_wait().unwrap()
        });
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ran {
            code: status.code(),
            out: self.out.text(),
            err: self.err.text(),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(self) -> Ran {
        self.signal("TERM");
        self.end(PATIENCE)
    }

    /// How many files it has open.
    pub(crate) fn files(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid()));
        files.unwrap().count()
    }

    /// The processor time that it has used, to a hundredth of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // After the name, which may hold blanks: user time is the 12th word, system time the 13th.
        let words: Vec<&str> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        let ticks: u64 = words[11..13]
            .iter()
            .map(|word| word.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
