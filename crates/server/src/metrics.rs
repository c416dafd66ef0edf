//! What is counted, in Prometheus' words. No label holds anything that a caller can choose.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use menjin_core::Appid;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::{app::App, errcodes};

/// Gives each variant its word.
macro_rules! label {
    ($name:ident: $($variant:ident => $word:literal),+) => {
        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
                let word = match self {
                    $(Self::$variant => $word),+
                };
                EncodeLabelValue::encode(&word, encoder)
            }
        }
    };
}

/// How a check of a token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TokenOutcome {
    Good,
    Expired,
    Invalid,
    Missing,
}
label!(TokenOutcome: Good => "good", Expired => "expired", Invalid => "invalid", Missing => "missing");

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SignInOutcome {
    Registered,
    Guest,
    Refused,
    Failed,
}
label!(SignInOutcome: Registered => "registered", Guest => "guest", Refused => "refused", Failed => "failed");

/// What a sign-in spent its time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Wechat,
    Store,
    Rest,
}
label!(Phase: Wechat => "wechat", Store => "store", Rest => "rest");

/// How a service's wish for WeChat's token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BrokerOutcome {
    Given,
    Failed,
}
label!(BrokerOutcome: Given => "given", Failed => "failed");

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BrokerLabels {
    appid: String,
    outcome: BrokerOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInLabels {
    outcome: SignInOutcome,
    errcode: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    outcome: TokenOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CircuitLabels {
    appid: String,
}

/// Every metric there is.
pub(crate) struct Metrics {
    registry: Registry,
    sign_ins: Family<SignInLabels, Counter>,
    sign_in_seconds: Family<PhaseLabels, Histogram>,
    tokens: Family<TokenLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    store_queued: Gauge<i64, AtomicI64>,
    store_connections: Gauge<i64, AtomicI64>,
    store_refused: Counter<u64, AtomicU64>,
    circuits: Family<CircuitLabels, Gauge>,
    wechat_tokens: Family<BrokerLabels, Counter>,
    revocations: Gauge<i64, AtomicI64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram = || Histogram::new(exponential_buckets(0.000_05, 2.5, 14));
        let mut metrics = Self {
            registry: Registry::with_prefix("menjin"),
            sign_ins: Family::default(),
            sign_in_seconds: Family::new_with_constructor(histogram),
            tokens: Family::default(),
            requests: Family::default(),
            store_queued: Gauge::default(),
            store_connections: Gauge::default(),
            store_refused: Counter::default(),
            circuits: Family::default(),
            wechat_tokens: Family::default(),
            revocations: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "sign_ins",
            "Sign-ins by how they ended; errcode 0 means well",
            self.sign_ins.clone(),
        );
        registry.register_with_unit(
            "sign_in_duration",
            "Time of a sign-in, split into WeChat, store and the rest",
            Unit::Seconds,
            self.sign_in_seconds.clone(),
        );
        registry.register(
            "token_checks",
            "Checks of access tokens",
            self.tokens.clone(),
        );
        registry.register(
            "requests",
            "Requests by route and status",
            self.requests.clone(),
        );
        registry.register(
            "store_waiting",
            "Stories that wait for the store",
            self.store_queued.clone(),
        );
        registry.register(
            "store_connections",
            "Connections to the store that are open",
            self.store_connections.clone(),
        );
        registry.register(
            "store_refused",
            "Stories that were refused since too many waited",
            self.store_refused.clone(),
        );
        registry.register(
            "wechat_circuit",
            "The circuit to WeChat: 0 closed, 1 half open, 2 open",
            self.circuits.clone(),
        );
        registry.register(
            "wechat_tokens",
            "WeChat's access tokens that services asked for",
            self.wechat_tokens.clone(),
        );
        registry.register(
            "revocations",
            "What was revoked and is not over yet",
            self.revocations.clone(),
        );
    }

    pub(crate) fn wechat_token(&self, appid: &Appid, outcome: BrokerOutcome) {
        let appid = appid.as_str().to_owned();
        self.wechat_tokens
            .get_or_create(&BrokerLabels { appid, outcome })
            .inc();
    }

    pub(crate) fn signed_in(&self, outcome: SignInOutcome, errcode: i64) {
        // WeChat may invent numbers; those that the reference does not know count as one.
        let known = errcode == 0 || errcodes::knows(errcode);
        let errcode = if known { errcode } else { -2 };
        self.sign_ins
            .get_or_create(&SignInLabels { outcome, errcode })
            .inc();
    }

    /// Splits the time of a sign-in into what WeChat took, what the store took, and the rest.
    pub(crate) fn sign_in_took(&self, whole: Duration, (wechat, store): (Duration, Duration)) {
        let rest = whole.saturating_sub(wechat + store);
        for (phase, time) in [
            (Phase::Wechat, wechat),
            (Phase::Store, store),
            (Phase::Rest, rest),
        ] {
            self.sign_in_seconds
                .get_or_create(&PhaseLabels { phase })
                .observe(time.as_secs_f64());
        }
    }

    pub(crate) fn token_checked(&self, outcome: TokenOutcome) {
        self.tokens.get_or_create(&TokenLabels { outcome }).inc();
    }

    pub(crate) fn answered(&self, route: &'static str, status: u16) {
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, app: &App) -> String {
        let waits = app.store.waits();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.store_queued.set(count(waits.queued));
        self.store_connections.set(count(waits.connections));
        self.revocations.set(count(app.revocations.count()));
        self.store_refused
            .inc_by(waits.refused.saturating_sub(self.store_refused.get()));
        for (appid, state) in app.wechat.circuits() {
            let appid = appid.as_str().to_owned();
            let level = match state.as_str() {
                "closed" => 0,
                "half_open" => 1,
                _ => 2,
            };
            self.circuits
                .get_or_create(&CircuitLabels { appid })
                .set(level);
        }
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
