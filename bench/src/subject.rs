//! A server under measurement, with the people who sign in to it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::{
    callers::Callers,
    http::Connection,
    menjin::{Installation, Menjin},
    people::People,
    progress::say,
    report::Slice,
    round::{Measurement, measure},
    run::Bench,
    work::{Who, Work, sign_in},
};

/// What the letting in of people may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// What a sign-in has to be answered.
#[derive(Deserialize)]
struct SignedIn {
    success: bool,
    openid: String,
    access_token: String,
}

/// Menjin, and those who sign in to it.
pub(crate) struct Subject {
    /// The server's folder.
    pub(crate) installation: Installation,
    /// The server.
    pub(crate) menjin: Menjin,
    /// Its people.
    pub(crate) people: Arc<People>,
}

impl Subject {
    /// Starts a server on a new database, to which `known` people are going to sign in.
    pub(crate) async fn start(bench: &Bench<'_>, name: &str, known: u64) -> anyhow::Result<Self> {
        let installation = Installation::new(&bench.folder.join(name), &bench.surroundings)?;
        let menjin = installation.start().await?;
        let people = Arc::new(People::new(usize::try_from(known)?));
        Ok(Self {
            installation,
            menjin,
            people,
        })
    }

    /// Lets people sign in for the first time, until there are `limit`.
    pub(crate) async fn let_in(&self, bench: &mut Bench<'_>, limit: u64) -> anyhow::Result<Slice> {
        say(&format!("signing in new people, up to {limit}"));
        let who = Who::NewUpTo(limit);
        let work = Arc::new(Work::SignIn {
            people: Arc::clone(&self.people),
            who,
        });
        let process = &self.menjin.process;
        let mut callers = Callers::connect(self.menjin.address, bench.load.callers).await?;
        let before = process.cpu()?;
        let outcome = callers.run(&work, PATIENCE).await?;
        let cpu = process.cpu()?.saturating_sub(before);
        let measurement = Measurement {
            outcome,
            cpu,
            memory: process.memory()?,
        };
        bench.note_failures("letting people in", &measurement);
        Ok(Slice {
            up_to: self.people.arrived(),
            per_second: measurement.rate(),
            cpu_ms_per_thousand: measurement.cpu_per_thousand(),
        })
    }

    /// Measures one round of this work.
    pub(crate) async fn measure(
        &self,
        bench: &mut Bench<'_>,
        work: &Arc<Work>,
    ) -> anyhow::Result<Measurement> {
        let Menjin {
            process, address, ..
        } = &self.menjin;
        let measurement = measure(process, *address, work, bench.load).await?;
        bench.note_failures("menjin", &measurement);
        Ok(measurement)
    }

    /// Signs known people in, sees that the answers are right, and takes their tokens.
    pub(crate) async fn tokens(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::open(self.menjin.address).await?;
        let mut tokens = Vec::with_capacity(count);
        let mut request = Vec::new();
        for _ in 0..count {
            let code = self.people.returning();
            request.clear();
            sign_in(code, &mut request)?;
            let reply = connection.exchange(&request).await?;
            let body = String::from_utf8_lossy(reply.body);
            let told = || format!("a sign-in was answered {} {body}", reply.status);
            let answer: SignedIn = serde_json::from_str(&body).with_context(told)?;
            ensure!(answer.success && answer.openid == code.openid(), told());
            tokens.push(answer.access_token);
        }
        Ok(tokens)
    }

    /// Stops the server and counts the codes that its people had. The rest is left for more starts.
    pub(crate) async fn stop(self, bench: &mut Bench<'_>) -> anyhow::Result<Installation> {
        bench.codes += self.people.codes();
        self.menjin.stop().await?;
        Ok(self.installation)
    }
}

impl Bench<'_> {
    /// Remembers that something was answered otherwise than with 200.
    pub(crate) fn note_failures(&mut self, what: &str, measurement: &Measurement) {
        let outcome = &measurement.outcome;
        if outcome.failed > 0 {
            let first = outcome.first_failure.as_deref().unwrap_or("unknown");
            let failed = outcome.failed;
            self.problems.push(format!(
                "{what}: {failed} requests failed, the first so: {first}"
            ));
        }
    }
}
