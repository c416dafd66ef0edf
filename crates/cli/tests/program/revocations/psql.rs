//! A conversation with PostgreSQL beside the program.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::harness::given;

/// One connection, for questions with one line for an answer.
pub(super) struct Psql {
    child: Child,
    asks: ChildStdin,
    hears: BufReader<ChildStdout>,
}

impl Psql {
    pub(super) fn open(url: &str) -> Self {
        let program = PathBuf::from(given("MENJIN_TEST_POSTGRES_BIN")).join("psql");
        let mut command = Command::new(program);
        command.args([url, "-qXAt", "-v", "ON_ERROR_STOP=1"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let asks = child.stdin.take().unwrap();
        let hears = BufReader::new(child.stdout.take().unwrap());
        Self { child, asks, hears }
    }

    pub(super) fn ask(&mut self, sql: &str) -> String {
        writeln!(self.asks, "{sql};").unwrap();
        let mut line = String::new();
        let heard = self.hears.read_line(&mut line).unwrap();
        assert!(heard > 0, "psql ended at: {sql}");
        line.trim_end().to_owned()
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
