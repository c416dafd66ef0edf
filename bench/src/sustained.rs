//! Introspection and sign-ins side by side at steady rates, for minutes: whether anything that happens
//! now and then, such as a checkpoint of the database, keeps callers waiting.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, interval_at},
};

use crate::{
    accounts,
    open_loop::{OpenLoop, Pace},
    progress::say,
    report::{Paced, Sustained},
    requests::TOKENS,
    round::Measurement,
    run::Bench,
    subject::Subject,
    work::{Who, Work},
};

/// Connections of each kind of caller.
const CONNECTIONS: usize = 256;

const MINUTE: Duration = Duration::from_mins(1);

/// Asks a server of its own for so many minutes.
pub(crate) async fn measure(bench: &mut Bench<'_>, minutes: u64) -> anyhow::Result<Sustained> {
    let arguments = bench.arguments;
    let subject = Subject::start(bench, "sustained", arguments.people).await?;
    subject.let_in(bench, arguments.people).await?;
    let tokens = accounts::users(&subject, TOKENS).await?;
    let questions = Work::introspect(&tokens);
    let sign_ins = Work::SignIn {
        people: Arc::clone(&subject.people),
        who: Who::Either,
    };
    let pace = |per_second| Pace {
        per_second,
        seconds: minutes.saturating_mul(60),
    };
    let (asking, signing_in) = (pace(arguments.introspections), pace(arguments.sign_ins));
    say(&format!(
        "{} introspections and {} sign-ins a second, for {minutes} min",
        asking.per_second, signing_in.per_second
    ));
    let address = subject.menjin.address;
    let mut services = OpenLoop::connect(address, CONNECTIONS).await?;
    let mut people = OpenLoop::connect(address, CONNECTIONS).await?;
    let process = &subject.menjin.process;
    process.forget_peak()?;
    let (memory_before, cpu_before) = (process.memory()?, process.cpu()?);
    // Aborted when it is dropped.
    let mut telling = JoinSet::new();
    telling.spawn(tell(minutes));
    let (asked, signed_in) = tokio::try_join!(
        services.run(&questions, asking, r#""active":true"#),
        people.run(&sign_ins, signing_in, r#""success":true"#),
    )?;
    let cpu = process.cpu()?.saturating_sub(cpu_before);
    let memory = process.memory()?;
    let introspection = Paced::of(asking.per_second, &asked);
    let sign_in = Paced::of(signing_in.per_second, &signed_in);
    let seen = [asked, signed_in].map(|kept| Measurement {
        outcome: kept.outcome,
        cpu,
        memory,
    });
    for (what, seen) in ["introspection", "sign-in"].into_iter().zip(&seen) {
        bench.note_failures(&format!("{what}, sustained"), seen);
    }
    let [asked, signed_in] = &seen;
    let sustained = Sustained {
        minutes,
        introspection,
        sign_in,
        core_share: asked.busy().min(signed_in.busy()),
        resident_before: memory_before.resident,
        memory,
    };
    subject.stop(bench).await?;
    Ok(sustained)
}

/// Says each minute that has gone by.
async fn tell(minutes: u64) {
    let mut each = interval_at(Instant::now() + MINUTE, MINUTE);
    for minute in 1..minutes {
        each.tick().await;
        say(&format!("{minute} of {minutes} min"));
    }
}
