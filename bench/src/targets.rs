//! What the figures are to be, and whether they are.

use serde::Serialize;

use crate::{
    report::{Accounts, Growth, Guarding, Paced, Row, Start, Sustained, mebibytes},
    run::Measured,
};

/// One promise.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    /// Of what.
    pub(crate) what: String,
    /// What was seen.
    pub(crate) seen: f64,
    /// What it may be at most.
    pub(crate) most: f64,
    /// In what it is counted.
    pub(crate) unit: &'static str,
    /// Whether it was kept.
    pub(crate) met: bool,
}

impl Target {
    fn new(what: &str, seen: f64, most: f64, unit: &'static str) -> Self {
        let what = what.to_owned();
        let met = seen <= most;
        Self {
            what,
            seen,
            most,
            unit,
            met,
        }
    }
}

/// All promises about which these figures say something.
pub(crate) fn all(measured: &Measured) -> Vec<Target> {
    let found = &measured.found;
    let mut targets: Vec<_> = found.rows.iter().map(of_cost).collect();
    let sign_ins = || found.rows.iter().filter(|row| row.scenario.is_sign_in());
    targets.extend(sign_ins().map(of_latency));
    let figures = sign_ins().map(|row| &row.menjin).chain(&found.memory);
    targets.extend(
        figures
            .map(|figures| figures.memory.peak)
            .max()
            .map(of_memory),
    );
    targets.extend(found.start.iter().flat_map(of_start));
    targets.extend(found.guard.iter().map(of_guard));
    targets.extend(measured.accounts.iter().flat_map(of_accounts));
    targets.extend(measured.growth.iter().flat_map(of_growth));
    targets.extend(measured.sustained.iter().flat_map(of_sustained));
    targets
}

fn of_cost(row: &Row) -> Target {
    let scenario = row.scenario;
    Target::new(
        scenario.title(),
        row.times_bare,
        scenario.most_times_bare(),
        "times bare",
    )
}

fn of_latency(row: &Row) -> Target {
    let what = format!("{}, p99", row.scenario.title());
    Target::new(&what, row.menjin.p99_ms, 15.0, "ms")
}

fn of_memory(peak: u64) -> Target {
    Target::new("memory under sign-ins, peak", mebibytes(peak), 40.0, "MiB")
}

fn of_start(start: &Start) -> [Target; 2] {
    let (_, median) = start.shortest_and_median();
    let idle = mebibytes(start.idle_resident);
    [
        Target::new("start to ready, median", median, 100.0, "ms"),
        Target::new("idle memory", idle, 30.0, "MiB"),
    ]
}

fn of_guard(guard: &Guarding) -> Target {
    Target::new("the guard's layer, added", guard.added_us, 3.0, "us")
}

fn of_accounts(accounts: &Accounts) -> [Target; 2] {
    let [register, set_user] = accounts.times_new;
    let unit = "times a new sign-in";
    [
        Target::new("registration by phone_code", register, 3.0, unit),
        Target::new("setuser", set_user, 3.0, unit),
    ]
}

fn of_growth(growth: &Growth) -> [Target; 2] {
    let longer = growth.few.requests_per_second / growth.many.requests_per_second;
    [
        Target::new(
            "many people, processor time",
            growth.cpu_ratio,
            1.3,
            "times few",
        ),
        Target::new("many people, time per sign-in", longer, 1.3, "times few"),
    ]
}

fn of_sustained(sustained: &Sustained) -> [Target; 4] {
    let Sustained {
        introspection,
        sign_in,
        ..
    } = sustained;
    let p99 = |what: &str, paced: &Paced| {
        let what = format!("{what}, sustained, p99");
        Target::new(&what, paced.p99_ms, 25.0, "ms")
    };
    let failed = |what: &str, paced: &Paced| {
        let what = format!("{what}, sustained, failed");
        let failed = u32::try_from(paced.failed).unwrap_or(u32::MAX);
        Target::new(&what, f64::from(failed), 0.0, "requests")
    };
    [
        p99("introspection", introspection),
        p99("sign-in", sign_in),
        failed("introspection", introspection),
        failed("sign-in", sign_in),
    ]
}
