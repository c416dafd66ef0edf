//! The guard's layer before a constant handler, beside the same handler without it, in one process
//! that follows Menjin as any other service would. Both are sent the same requests, the
//! token included.

use std::sync::Arc;

use anyhow::Context;
use axum::{Router, routing::get};
use bytes::Bytes;
use menjin_guard::Guard;

use crate::{
    arguments::Guarded,
    bare::{constant, json},
    own::{self, OwnServer},
    progress::say,
    report::{Figures, Guarding, cpu_ratio, median_difference},
    round::measure as measure_round,
    run::Bench,
    service,
    subject::Subject,
    work::Work,
};

/// What the handler answers is as long as this.
const ANSWER_BYTES: usize = 64;

/// Serves `/guarded` and `/open` until the process is ended.
pub(crate) fn serve(arguments: &Guarded) -> anyhow::Result<()> {
    own::serve(async {
        let guard = Guard::new(&arguments.issuer)
            .audience(service::ID)
            .service(service::ID, service::SECRET)
            .start()
            .await?;
        Ok(router(&guard))
    })
}

fn router(guard: &Guard) -> Router {
    let body = Bytes::from(json(ANSWER_BYTES));
    let answer = async move || constant(body);
    let guarded = Router::new()
        .route("/guarded", get(answer.clone()))
        .layer(guard.layer());
    Router::new().route("/open", get(answer)).merge(guarded)
}

/// Measures both in turn, with the tokens of these users of `subject`.
pub(crate) async fn measure(
    bench: &mut Bench<'_>,
    subject: &Subject,
    tokens: &[String],
) -> anyhow::Result<Guarding> {
    let issuer = format!("http://{}", subject.menjin.address);
    let service = OwnServer::start(bench.surroundings.core, &["guarded", "--issuer", &issuer])
        .context("the guarded service")?;
    let works = ["/guarded", "/open"].map(|path| Arc::new(Work::get_in_turn(path, tokens)));
    let mut seen = [const { Vec::new() }; 2];
    for round in 1..=bench.arguments.rounds {
        say(&format!("round {round}: the guard's layer"));
        for (work, seen) in works.iter().zip(&mut seen) {
            let one = measure_round(&service.process, service.address, work, bench.load).await?;
            bench.note_failures("the guarded service", &one);
            seen.push(one);
        }
    }
    let [guarded, open] = &seen;
    Ok(Guarding {
        added_us: median_difference(guarded, open),
        times_open: cpu_ratio(guarded, open),
        guarded: Figures::of(guarded),
        open: Figures::of(open),
    })
}
