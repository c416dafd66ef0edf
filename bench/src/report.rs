//! What a run has found, as it goes into the JSON file and, through `table`, to the screen.

use serde::Serialize;

use crate::{
    machine::Machine,
    numbers::{float, median, percentile},
    open_loop::Kept,
    process::Memory,
    round::Measurement,
    scenario::Scenario,
    targets::Target,
};

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was measured.
    pub(crate) version: String,
    /// On what.
    pub(crate) machine: Machine,
    /// How.
    pub(crate) settings: Settings,
    /// One for each kind of request.
    pub(crate) rows: Vec<Row>,
    /// Returning people for longer than login codes are remembered, if that was measured.
    pub(crate) memory: Option<Figures>,
    /// The guard's layer, if that was measured.
    pub(crate) guard: Option<Guarding>,
    /// Starting and being idle, if that was measured.
    pub(crate) start: Option<Start>,
    /// Registration and profile, if that was measured.
    pub(crate) accounts: Option<Accounts>,
    /// Few people and many, if that was measured.
    pub(crate) growth: Option<Growth>,
    /// Steady rates for minutes, if that was measured.
    pub(crate) sustained: Option<Sustained>,
    /// What was to be reached, and whether it was.
    pub(crate) targets: Vec<Target>,
    /// What makes the figures worth nothing; empty is good.
    pub(crate) problems: Vec<String>,
}

/// How a run was made.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Settings {
    /// Callers at the same time.
    pub(crate) callers: usize,
    /// Rounds, each with Menjin and the bare framework in turn.
    pub(crate) rounds: u64,
    /// Seconds of a measurement.
    pub(crate) seconds: u64,
    /// People who had signed in before.
    pub(crate) people: u64,
    /// The server's core.
    pub(crate) server_core: usize,
    /// The core of the callers and the stub of WeChat.
    pub(crate) callers_core: usize,
}

/// One kind of request.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Which.
    pub(crate) scenario: Scenario,
    /// Bytes of the answer's body.
    pub(crate) answer_bytes: usize,
    /// What Menjin did.
    pub(crate) menjin: Figures,
    /// What the bare framework did, between Menjin's rounds.
    pub(crate) bare: Figures,
    /// Menjin's processor time per request as a multiple of the bare framework's: the median of
    /// the rounds.
    pub(crate) times_bare: f64,
}

/// What one server did with one kind of request.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    /// The median of the rounds.
    pub(crate) requests_per_second: f64,
    /// Over all rounds, in milliseconds.
    pub(crate) p50_ms: f64,
    /// Over all rounds, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Processor time for a thousand requests in milliseconds: the median of the rounds.
    pub(crate) cpu_ms_per_thousand: f64,
    /// How much of its core the server used, from 0 to 1. Well below 1 it could do more.
    pub(crate) core_share: f64,
    /// Memory in KiB: the most that a round ended with, and the peak.
    pub(crate) memory: Memory,
    /// Good answers.
    pub(crate) answered: usize,
    /// Others.
    pub(crate) failed: u64,
}

/// A constant handler in a service of its own, behind the guard's layer and without it.
#[derive(Debug, Serialize)]
pub(crate) struct Guarding {
    /// Behind it.
    pub(crate) guarded: Figures,
    /// Without it.
    pub(crate) open: Figures,
    /// Processor time that the layer adds to a request in microseconds: the median of the rounds.
    pub(crate) added_us: f64,
    /// Processor time behind it as a multiple of that without: the median of the rounds.
    pub(crate) times_open: f64,
}

/// Two kinds of requests side by side on one server, each at a steady rate.
#[derive(Debug, Serialize)]
pub(crate) struct Sustained {
    /// For how long.
    pub(crate) minutes: u64,
    /// `POST /oauth/introspect`, of users.
    pub(crate) introspection: Paced,
    /// Sign-ins, every other one a new person's.
    pub(crate) sign_in: Paced,
    /// How much of its core the server used for both, from 0 to 1.
    pub(crate) core_share: f64,
    /// Resident before the first request, in KiB.
    pub(crate) resident_before: u64,
    /// Memory at the end, with its peak meanwhile.
    pub(crate) memory: Memory,
}

/// Requests at a steady rate. Latency is counted from when a request was due.
#[derive(Debug, Serialize)]
pub(crate) struct Paced {
    /// How many were due each second.
    pub(crate) per_second: u64,
    /// In milliseconds.
    pub(crate) p50_ms: f64,
    /// In milliseconds.
    pub(crate) p99_ms: f64,
    /// In milliseconds.
    pub(crate) max_ms: f64,
    /// By how much the callers were late of their own doing, in milliseconds.
    pub(crate) late_p99_ms: f64,
    /// Good answers.
    pub(crate) answered: usize,
    /// Others.
    pub(crate) failed: u64,
}

/// Starting on an existing database, and being idle after it.
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    /// How many people the database holds.
    pub(crate) people: u64,
    /// From the start to the first 200 of `/readyz`, in milliseconds, ascending.
    pub(crate) ready_after_ms: Vec<f64>,
    /// Resident a second after that, in KiB.
    pub(crate) idle_resident: u64,
}

/// Becoming a user and changing a profile, beside the sign-in of new people in the same rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Accounts {
    /// The sign-in of new people.
    pub(crate) new: Figures,
    /// `POST /v1/user/register` with a `phone_code`.
    pub(crate) register: Figures,
    /// `POST /v1/user/setuser` with a new nickname.
    pub(crate) set_user: Figures,
    /// The rate of new people as a multiple of that of registration, and of setuser: the medians of
    /// the rounds.
    pub(crate) times_new: [f64; 2],
}

/// Returning people, a few and many.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    /// How many the smaller database holds.
    pub(crate) few_people: u64,
    /// How many the larger one holds.
    pub(crate) many_people: u64,
    /// Their sign-in on the smaller database.
    pub(crate) few: Figures,
    /// Their sign-in on the larger one.
    pub(crate) many: Figures,
    /// Processor time on the larger one as a multiple of the smaller: the median of the rounds.
    pub(crate) cpu_ratio: f64,
    /// New people while the larger database was filled, ascending.
    pub(crate) filling: Vec<Slice>,
}

/// Part of the filling of a database.
#[derive(Debug, Serialize)]
pub(crate) struct Slice {
    /// How many people there were in the end.
    pub(crate) up_to: u64,
    /// New people a second.
    pub(crate) per_second: f64,
    /// Processor time for a thousand of them in milliseconds.
    pub(crate) cpu_ms_per_thousand: f64,
}

impl Paced {
    /// Sums up all that was asked at this rate.
    pub(crate) fn of(per_second: u64, kept: &Kept) -> Self {
        let [mut latencies, mut late] = [&kept.outcome.latencies, &kept.late].map(Clone::clone);
        latencies.sort_unstable();
        late.sort_unstable();
        let milliseconds = |per_mille| f64::from(percentile(&latencies, per_mille)) / 1000.0;
        Self {
            per_second,
            p50_ms: milliseconds(500),
            p99_ms: milliseconds(990),
            max_ms: milliseconds(1000),
            late_p99_ms: f64::from(percentile(&late, 990)) / 1000.0,
            answered: latencies.len(),
            failed: kept.outcome.failed,
        }
    }
}

impl Figures {
    /// Sums up some rounds.
    pub(crate) fn of(rounds: &[Measurement]) -> Self {
        let mut latencies: Vec<u32> = rounds
            .iter()
            .flat_map(|round| &round.outcome.latencies)
            .copied()
            .collect();
        latencies.sort_unstable();
        let milliseconds = |per_mille| f64::from(percentile(&latencies, per_mille)) / 1000.0;
        let memory = rounds.iter().map(|round| round.memory);
        Self {
            requests_per_second: median(rounds.iter().map(Measurement::rate)),
            p50_ms: milliseconds(500),
            p99_ms: milliseconds(990),
            cpu_ms_per_thousand: median(rounds.iter().map(Measurement::cpu_per_thousand)),
            core_share: median(rounds.iter().map(Measurement::busy)),
            memory: memory.fold(Memory::default(), |most, one| Memory {
                resident: most.resident.max(one.resident),
                peak: most.peak.max(one.peak),
            }),
            answered: latencies.len(),
            failed: rounds.iter().map(|round| round.outcome.failed).sum(),
        }
    }
}

/// Processor time per request of `ours` as a multiple of `base`, round by round: the median.
pub(crate) fn cpu_ratio(ours: &[Measurement], base: &[Measurement]) -> f64 {
    let ratio = |(this, that): (&Measurement, &Measurement)| {
        this.cpu_per_thousand() / that.cpu_per_thousand()
    };
    median(ours.iter().zip(base).map(ratio))
}

/// By how much `ours` takes longer than `base` in microseconds of processor time per request, round
/// by round: the median.
pub(crate) fn median_difference(ours: &[Measurement], base: &[Measurement]) -> f64 {
    // Milliseconds for a thousand are microseconds for one.
    let difference = |(this, that): (&Measurement, &Measurement)| {
        this.cpu_per_thousand() - that.cpu_per_thousand()
    };
    median(ours.iter().zip(base).map(difference))
}

impl Start {
    /// The shortest and the median start in milliseconds.
    pub(crate) fn shortest_and_median(&self) -> (f64, f64) {
        let shortest = self.ready_after_ms.first().copied().unwrap_or_default();
        (shortest, median(self.ready_after_ms.iter().copied()))
    }
}

/// KiB in MiB.
pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    float(usize::try_from(kibibytes).unwrap_or(usize::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::callers::Outcome;

    /// A second with answers of these latencies, and so much processor time.
    fn round(latencies: &[u32], cpu_ms: u64) -> Measurement {
        Measurement {
            outcome: Outcome {
                elapsed: Duration::from_secs(1),
                latencies: latencies.to_vec(),
                ..Outcome::default()
            },
            cpu: Duration::from_millis(cpu_ms),
            memory: Memory {
                resident: cpu_ms,
                peak: 2 * cpu_ms,
            },
        }
    }

    #[test]
    fn rounds_are_summed_up() {
        let figures = Figures::of(&[
            round(&[1000, 2000], 10),
            round(&[3000, 4000, 5000, 6000], 40),
            round(&[9000], 1),
        ]);
        assert_eq!(figures.requests_per_second.to_string(), "2");
        assert_eq!(
            (figures.p50_ms.to_string(), figures.p99_ms.to_string()),
            ("4".into(), "9".into())
        );
        assert_eq!(figures.cpu_ms_per_thousand.to_string(), "5000");
        assert_eq!(figures.core_share.to_string(), "0.01");
        assert_eq!(
            figures.memory,
            Memory {
                resident: 40,
                peak: 80
            }
        );
        assert_eq!((figures.answered, figures.failed), (7, 0));
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // The machine was half as fast in the second round, and something disturbed the third.
        let menjin = [round(&[1], 60), round(&[1], 120), round(&[1], 900)];
        let bare = [round(&[1], 10), round(&[1], 20), round(&[1], 10)];
        assert_eq!(cpu_ratio(&menjin, &bare).to_string(), "6");
        assert_eq!(median_difference(&menjin, &bare).to_string(), "100000");
    }

    #[test]
    fn the_longest_wait_is_told() {
        let outcome = round(&[3000, 1000, 2500, 1000], 1).outcome;
        let late = vec![5000, 0, 0, 0];
        let paced = Paced::of(4, &Kept { outcome, late });
        let told = [paced.p50_ms, paced.p99_ms, paced.max_ms, paced.late_p99_ms];
        assert_eq!(told.map(|ms| ms.to_string()), ["1", "3", "3", "5"]);
        assert_eq!((paced.answered, paced.failed), (4, 0));
    }
}
