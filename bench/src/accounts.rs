//! Becoming a user and changing a profile, in turn with the sign-in of new people: these are rare
//! beside sign-ins, so what counts is that their rate is of the same kind.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::{
    http::Connection,
    numbers::median,
    progress::say,
    report::{Accounts, Figures},
    round::Measurement,
    run::Bench,
    subject::Subject,
    work::{Guest, Who, Work, register, sign_in},
};

/// Guests who are let in for a second of registrations: more than register in it.
const GUESTS_A_SECOND: u64 = 8_000;

/// Guests who are let in at the same time.
const AT_ONCE: u64 = 64;

/// What a sign-in and a registration say, as far as it is needed.
#[derive(Deserialize)]
struct SignedIn {
    access_token: String,
}

/// Measures new people, their registration, and changes of their nickname, round by round.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<Accounts> {
    let subject = Subject::start(bench, "accounts", 0).await?;
    let [mut new, mut register, mut set_user] = [const { Vec::new() }; 3];
    for round in 1..=bench.arguments.rounds {
        say(&format!("round {round}: registration and profile"));
        let people = Arc::clone(&subject.people);
        let who = Who::New;
        let work = Arc::new(Work::SignIn { people, who });
        new.push(subject.measure(bench, &work).await?);
        let count = bench.arguments.seconds.saturating_mul(GUESTS_A_SECOND);
        let guests: Arc<[Guest]> = guests(&subject, count).await?.into();
        let next = AtomicUsize::new(0);
        let work = Arc::new(Work::Register {
            guests: Arc::clone(&guests),
            next,
        });
        register.push(subject.measure(bench, &work).await?);
        let done = match &*work {
            Work::Register { next, .. } => next.load(Ordering::Relaxed),
            _ => 0,
        };
        let work = Arc::new(Work::SetUser {
            registered: done.min(guests.len()),
            guests,
            next: AtomicUsize::new(0),
        });
        set_user.push(subject.measure(bench, &work).await?);
    }
    subject.stop(bench).await?;
    Ok(Accounts {
        times_new: [slower(&new, &register), slower(&new, &set_user)],
        new: Figures::of(&new),
        register: Figures::of(&register),
        set_user: Figures::of(&set_user),
    })
}

/// How many times as long it takes, round by round: the median.
fn slower(new: &[Measurement], other: &[Measurement]) -> f64 {
    let ratio = |(new, other): (&Measurement, &Measurement)| new.rate() / other.rate();
    median(new.iter().zip(other).map(ratio))
}

/// Lets people sign in for the first time and register, and takes the tokens that they then have.
pub(crate) async fn users(subject: &Subject, count: u64) -> anyhow::Result<Vec<String>> {
    say(&format!("registering {count} people"));
    let mut connection = Connection::open(subject.menjin.address).await?;
    let mut tokens = Vec::new();
    let mut request = Vec::new();
    for guest in guests(subject, count).await? {
        request.clear();
        register(&guest, &mut request)?;
        let reply = connection.exchange(&request).await?;
        let body = String::from_utf8_lossy(reply.body);
        let told = || format!("a registration was answered {} {body}", reply.status);
        ensure!(reply.status == 200, told());
        let SignedIn { access_token } = serde_json::from_str(&body).with_context(told)?;
        tokens.push(access_token);
    }
    Ok(tokens)
}

/// Lets people sign in for the first time and takes their tokens.
async fn guests(subject: &Subject, count: u64) -> anyhow::Result<Vec<Guest>> {
    let mut letting_in = tokio::task::JoinSet::new();
    let address = subject.menjin.address;
    for _ in 0..AT_ONCE {
        let people = Arc::clone(&subject.people);
        letting_in.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut guests = Vec::new();
            let mut request = Vec::new();
            for _ in 0..count.div_ceil(AT_ONCE) {
                let code = people.newcomer();
                request.clear();
                sign_in(code, &mut request)?;
                let reply = connection.exchange(&request).await?;
                ensure!(
                    reply.status == 200,
                    "a sign-in was answered {}",
                    reply.status
                );
                let SignedIn { access_token } = serde_json::from_slice(reply.body)
                    .context("a sign-in was answered something else")?;
                guests.push(Guest { code, access_token });
            }
            Ok(guests)
        });
    }
    let mut all = Vec::new();
    while let Some(guests) = letting_in.join_next().await {
        all.extend(guests??);
    }
    Ok(all)
}
