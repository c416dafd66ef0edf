//! The kinds of requests, each on Menjin and on the bare framework in turn, round by round.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    accounts, bare, guarded,
    http::Connection,
    progress::say,
    report::{Figures, Guarding, Row, Start, cpu_ratio},
    round::{Measurement, measure as measure_round},
    run::Bench,
    scenario::{Part, Scenario},
    start,
    subject::Subject,
    work::{Who, Work},
};

/// So many different people ask who they are.
const ASKING: usize = 64;
/// So many users' tokens are shown to services.
pub(crate) const TOKENS: u64 = 1024;
/// Longer than a login code is remembered by default, which is half a minute.
const SUSTAINED: Duration = Duration::from_secs(40);

/// What tells a good answer, of whatever kind, from another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    success: bool,
    active: bool,
    keys: Vec<IgnoredAny>,
}

/// One kind of request, with what its rounds have seen so far.
struct Contest {
    scenario: Scenario,
    work: Arc<Work>,
    answer_bytes: usize,
    menjin: Vec<Measurement>,
    bare: Vec<Measurement>,
}

/// What there is to say of one server.
#[derive(Default)]
pub(crate) struct Found {
    /// One for each kind of request that was asked for.
    pub(crate) rows: Vec<Row>,
    /// Sign-ins for a long while.
    pub(crate) memory: Option<Figures>,
    /// The guard's layer.
    pub(crate) guard: Option<Guarding>,
    /// Starts on the database that all this has made.
    pub(crate) start: Option<Start>,
}

/// Who has signed in before all this.
struct Tokens {
    /// Some of the known people, who have not registered.
    guests: Vec<String>,
    /// People who have; none if nothing that was asked for needs them.
    users: Vec<String>,
}

/// Measures what was asked for, on one server.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<Found> {
    let arguments = bench.arguments;
    let wanted = |scenario: &Scenario| arguments.wants(scenario.part());
    let scenarios: Vec<_> = Scenario::ALL.into_iter().filter(wanted).collect();
    let others = [Part::Guard, Part::Memory, Part::Start];
    if scenarios.is_empty() && !others.into_iter().any(|part| arguments.wants(part)) {
        return Ok(Found::default());
    }
    let subject = Subject::start(bench, "menjin", arguments.people).await?;
    subject.let_in(bench, arguments.people).await?;
    let needs_users = [Part::Verify, Part::Introspect, Part::Guard];
    let tokens = Tokens {
        guests: subject.tokens(ASKING).await?,
        users: if needs_users.into_iter().any(|part| arguments.wants(part)) {
            accounts::users(&subject, TOKENS).await?
        } else {
            Vec::new()
        },
    };
    let mut contests = Vec::new();
    for scenario in scenarios {
        contests.push(Contest::prepare(scenario, &subject, &tokens).await?);
    }
    if !contests.is_empty() {
        compete(bench, &subject, &mut contests).await?;
    }
    let guard = if arguments.wants(Part::Guard) {
        Some(guarded::measure(bench, &subject, &tokens.users).await?)
    } else {
        None
    };
    let memory = if arguments.wants(Part::Memory) {
        Some(fill_memory(bench, &subject).await?)
    } else {
        None
    };
    let people = subject.people.arrived();
    let installation = subject.stop(bench).await?;
    let start = if arguments.wants(Part::Start) {
        Some(start::measure(&installation, people).await?)
    } else {
        None
    };
    let rows = contests.into_iter().map(Contest::row).collect();
    Ok(Found {
        rows,
        memory,
        guard,
        start,
    })
}

/// Signs people in for so long that the memory of login codes is as full as it gets.
async fn fill_memory(bench: &mut Bench<'_>, subject: &Subject) -> anyhow::Result<Figures> {
    say("sign-ins for a long while");
    let people = Arc::clone(&subject.people);
    let who = Who::Returning;
    let work = Arc::new(Work::SignIn { people, who });
    let rounds = bench.load.time;
    bench.load.time = SUSTAINED;
    let measured = subject.measure(bench, &work).await;
    bench.load.time = rounds;
    Ok(Figures::of(&[measured?]))
}

async fn compete(
    bench: &mut Bench<'_>,
    subject: &Subject,
    contests: &mut [Contest],
) -> anyhow::Result<()> {
    let sizes: Vec<_> = contests
        .iter()
        .map(|contest| contest.answer_bytes)
        .collect();
    let bare = bare::start(bench.surroundings.core, &sizes)?;
    for round in 1..=bench.arguments.rounds {
        for (index, contest) in contests.iter_mut().enumerate() {
            say(&format!("round {round}: {}", contest.scenario.title()));
            contest
                .menjin
                .push(subject.measure(bench, &contest.work).await?);
            let work = Arc::new(Work::get(&format!("/{index}")));
            let seen = measure_round(&bare.process, bare.address, &work, bench.load).await?;
            bench.note_failures("the bare framework", &seen);
            contest.bare.push(seen);
        }
    }
    Ok(())
}

impl Contest {
    /// Asks once, to see that it works and how long the answer is.
    async fn prepare(
        scenario: Scenario,
        subject: &Subject,
        tokens: &Tokens,
    ) -> anyhow::Result<Self> {
        let sign_in = |who| Work::SignIn {
            people: Arc::clone(&subject.people),
            who,
        };
        let work = Arc::new(match scenario {
            Scenario::New => sign_in(Who::New),
            Scenario::Returning => sign_in(Who::Returning),
            Scenario::Me => Work::get_with("/v1/user/me", &tokens.guests),
            Scenario::Verify => Work::get_in_turn("/auth/verify", &tokens.users),
            Scenario::Introspect => Work::introspect(&tokens.users),
            Scenario::Keys => Work::get("/.well-known/jwks.json"),
        });
        let mut request = Vec::new();
        ensure!(work.next(0, &mut request), "nothing to ask for");
        let mut connection = Connection::open(subject.menjin.address).await?;
        let reply = connection
            .exchange(&request)
            .await
            .with_context(|| scenario.title())?;
        let answer: Answer = serde_json::from_slice(reply.body).unwrap_or_default();
        let good = match scenario {
            Scenario::New | Scenario::Returning | Scenario::Me => answer.success,
            Scenario::Verify => reply.body.is_empty(),
            Scenario::Introspect => answer.active,
            Scenario::Keys => !answer.keys.is_empty(),
        };
        let good = good && reply.status == 200;
        let body = String::from_utf8_lossy(reply.body);
        ensure!(good, "{}: {} {body}", scenario.title(), reply.status);
        let answer_bytes = reply.body.len();
        Ok(Self {
            scenario,
            work,
            answer_bytes,
            menjin: Vec::new(),
            bare: Vec::new(),
        })
    }

    fn row(self) -> Row {
        Row {
            scenario: self.scenario,
            answer_bytes: self.answer_bytes,
            menjin: Figures::of(&self.menjin),
            bare: Figures::of(&self.bare),
            times_bare: cpu_ratio(&self.menjin, &self.bare),
        }
    }
}
