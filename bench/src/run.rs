//! A whole run, from the stub of WeChat to the report.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{
    accounts,
    arguments::Arguments,
    cores::{self, Cores},
    growth,
    machine::Machine,
    menjin::{self, Surroundings},
    report::{Accounts, Growth, Report, Settings, Sustained},
    requests::{self, Found},
    round::Load,
    scenario::Part,
    stub::Stub,
    sustained, targets,
};

/// What all parts of a run share.
pub(crate) struct Bench<'a> {
    /// What was asked for.
    pub(crate) arguments: &'a Arguments,
    /// Where servers run.
    pub(crate) surroundings: Surroundings,
    /// How they are asked.
    pub(crate) load: Load,
    /// The folder of this run.
    pub(crate) folder: PathBuf,
    /// How many login codes have been made for the stub of WeChat.
    pub(crate) codes: u64,
    /// What went wrong so far.
    pub(crate) problems: Vec<String>,
}

/// What all parts of a run have found.
pub(crate) struct Measured {
    /// Kinds of requests on one server.
    pub(crate) found: Found,
    /// Registration and profile.
    pub(crate) accounts: Option<Accounts>,
    /// Few people and many.
    pub(crate) growth: Option<Growth>,
    /// Steady rates for minutes.
    pub(crate) sustained: Option<Sustained>,
}

/// Measures what was asked for. All that is started ends with it, however it ends.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let program = program(arguments)?;
    let version = menjin::version(&program)?;
    let place = arguments
        .directory
        .clone()
        .unwrap_or_else(std::env::temp_dir);
    let place = place
        .canonicalize()
        .with_context(|| format!("no folder {}", place.display()))?;
    let folder = tempfile::Builder::new()
        .prefix("menjin-bench-")
        .tempdir_in(&place)?;
    let machine = Machine::look(folder.path());
    let cores = Cores::pick()?;
    cores::pin(cores.callers)?;
    let stub = Stub::start().await?;
    let mut bench = Bench {
        arguments,
        surroundings: Surroundings {
            program,
            core: cores.server,
            wechat: stub.address,
            log: arguments.log.clone(),
        },
        load: Load {
            callers: usize::try_from(arguments.callers)?,
            time: arguments.duration(),
        },
        folder: folder.path().to_owned(),
        codes: 0,
        problems: Vec::new(),
    };
    let measured = bench.measure().await?;
    bench.compare_codes(stub.answered());
    Ok(Report {
        version,
        machine,
        settings: settings(&bench, cores),
        targets: targets::all(&measured),
        rows: measured.found.rows,
        memory: measured.found.memory,
        guard: measured.found.guard,
        start: measured.found.start,
        accounts: measured.accounts,
        growth: measured.growth,
        sustained: measured.sustained,
        problems: bench.problems,
    })
}

impl Bench<'_> {
    /// All parts that were asked for, one after the other.
    async fn measure(&mut self) -> anyhow::Result<Measured> {
        let arguments = self.arguments;
        let found = requests::measure(self).await?;
        let accounts = if arguments.wants(Part::Accounts) {
            Some(accounts::measure(self).await?)
        } else {
            None
        };
        let growth = if arguments.wants(Part::Growth) {
            Some(growth::measure(self).await?)
        } else {
            None
        };
        let sustained = match arguments.sustained {
            Some(minutes) => Some(sustained::measure(self, minutes).await?),
            None => None,
        };
        Ok(Measured {
            found,
            accounts,
            growth,
            sustained,
        })
    }

    /// A sign-in that did not ask WeChat was no sign-in, so all the figures would be too good.
    fn compare_codes(&mut self, asked: u64) {
        if self.codes != asked {
            let codes = self.codes;
            self.problems.push(format!(
                "WeChat was asked {asked} times in {codes} sign-ins"
            ));
        }
    }
}

fn program(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    match arguments.menjin.as_deref().map(Path::canonicalize) {
        Some(program) => program.context("no such program as --menjin says"),
        None => Ok(std::env::current_exe()?.with_file_name("menjin")),
    }
}

fn settings(bench: &Bench<'_>, cores: Cores) -> Settings {
    Settings {
        callers: bench.load.callers,
        rounds: bench.arguments.rounds,
        seconds: bench.arguments.seconds,
        people: bench.arguments.people,
        server_core: cores.server,
        callers_core: cores.callers,
    }
}
