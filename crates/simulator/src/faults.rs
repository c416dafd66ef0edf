//! Failures that were asked for, waiting for the requests that they will meet.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{answer::PATHS, errcode::Errcode};

/// How many faults can wait at once.
const MOST: usize = 1000;
const LONGEST_DELAY_MS: u64 = 60_000;
const LONGEST_SECONDS: f64 = 31_536_000.0;
const KINDS: &str = "errcode, status, delay, hang, reset, garbage, truncate";

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// WeChat declines, in its own words or in others.
    Errcode(Errcode, Option<String>),
    /// Something in front of WeChat answers, in HTML.
    Status(u16),
    /// The right answer comes late.
    Delay(Duration),
    /// No answer comes, and the connection stays open.
    Hang,
    /// The connection is reset.
    Reset,
    /// The answer is not JSON.
    Garbage,
    /// The answer ends before its announced length.
    Truncate,
}

/// A fault as `POST /simulator/faults` asks for one, and as `GET` shows it.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    path: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errcode: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errmsg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_seconds: Option<f64>,
}

/// The faults of each path, the first to be served in front.
#[derive(Default)]
pub(crate) struct Faults(BTreeMap<String, VecDeque<Fault>>);

struct Fault {
    order: Order,
    kind: Kind,
    times_left: Option<u64>,
    until: Option<Instant>,
}

impl Faults {
    /// Puts a fault behind those that wait already.
    pub(crate) fn add(&mut self, order: Order, now: Instant) -> Result<(), String> {
        self.forget_expired(now);
        if self.0.values().map(VecDeque::len).sum::<usize>() >= MOST {
            return Err(format!(
                "{MOST} faults wait already; DELETE /simulator/faults first"
            ));
        }
        let fault = Fault {
            kind: order.check()?,
            times_left: order.times,
            until: order
                .for_seconds
                .map(|seconds| now + Duration::from_secs_f64(seconds)),
            order,
        };
        self.0
            .entry(fault.order.path.clone())
            .or_default()
            .push_back(fault);
        Ok(())
    }

    /// The fault that a request at `now` meets; one more of its times is then gone.
    pub(crate) fn take(&mut self, path: &str, now: Instant) -> Option<Kind> {
        let waiting = self.0.get_mut(path)?;
        while waiting.front().is_some_and(|fault| fault.expired(now)) {
            waiting.pop_front();
        }
        let fault = waiting.front_mut()?;
        let kind = fault.kind.clone();
        if let Some(left) = &mut fault.times_left {
            *left -= 1;
            if *left == 0 {
                waiting.pop_front();
            }
        }
        Some(kind)
    }

    /// What still waits, with the times and seconds that are left.
    pub(crate) fn list(&mut self, now: Instant) -> Vec<Order> {
        self.forget_expired(now);
        let orders = self.0.values().flatten().map(|fault| Order {
            times: fault.times_left,
            for_seconds: fault.until.map(|until| (until - now).as_secs_f64()),
            ..fault.order.clone()
        });
        orders.collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn forget_expired(&mut self, now: Instant) {
        for waiting in self.0.values_mut() {
            waiting.retain(|fault| !fault.expired(now));
        }
    }
}

impl Fault {
    fn expired(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Order {
    /// What the order means, or what is wrong with it.
    fn check(&self) -> Result<Kind, String> {
        if !PATHS.contains(&self.path.as_str()) {
            let paths = PATHS.join(", ");
            return Err(format!("`path` is one that WeChat serves here: {paths}"));
        }
        if self.times.is_some() && self.for_seconds.is_some() {
            return Err("give `times` or `for_seconds`, not both".to_owned());
        }
        if self.times == Some(0) {
            return Err("`times` is 1 or more; to remove faults, DELETE them".to_owned());
        }
        if self
            .for_seconds
            .is_some_and(|seconds| !(seconds > 0.0 && seconds <= LONGEST_SECONDS))
        {
            return Err("`for_seconds` is more than 0 and at most a year".to_owned());
        }
        let kind = self.kind()?;
        self.refuse_strays(&kind)?;
        Ok(kind)
    }

    fn kind(&self) -> Result<Kind, String> {
        Ok(match self.kind.as_str() {
            "errcode" => {
                let number = self
                    .errcode
                    .ok_or("kind `errcode` needs `errcode`, such as 45011")?;
                Kind::Errcode(Errcode(number), self.errmsg.clone())
            }
            "status" => match self.status {
                Some(status @ 200..=599) => Kind::Status(status),
                _ => return Err("kind `status` needs `status`, 200 to 599".to_owned()),
            },
            "delay" => match self.ms {
                Some(ms @ 0..=LONGEST_DELAY_MS) => Kind::Delay(Duration::from_millis(ms)),
                _ => {
                    return Err(format!(
                        "kind `delay` needs `ms`, at most {LONGEST_DELAY_MS}"
                    ));
                }
            },
            "hang" => Kind::Hang,
            "reset" => Kind::Reset,
            "garbage" => Kind::Garbage,
            "truncate" => Kind::Truncate,
            other => return Err(format!("`{other}` is no kind of fault; there are: {KINDS}")),
        })
    }

    /// A field that would be ignored is a mistake that its author should hear of.
    fn refuse_strays(&self, kind: &Kind) -> Result<(), String> {
        let errcode = matches!(kind, Kind::Errcode(..));
        let fields = [
            ("errcode", self.errcode.is_some(), errcode),
            ("errmsg", self.errmsg.is_some(), errcode),
            (
                "status",
                self.status.is_some(),
                matches!(kind, Kind::Status(_)),
            ),
            ("ms", self.ms.is_some(), matches!(kind, Kind::Delay(_))),
        ];
        match fields.iter().find(|(_, given, wanted)| *given && !wanted) {
            Some((field, ..)) => Err(format!(
                "kind `{}` takes no `{field}`; leave it out",
                self.kind
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Faults, Kind, MOST, Order};
    use crate::answer::CODE_TO_SESSION;

    fn order(kind: &str) -> Order {
        let (path, kind) = (CODE_TO_SESSION.to_owned(), kind.to_owned());
        Order {
            path,
            kind,
            ..Order::default()
        }
    }

    #[test]
    fn a_fault_ends_with_its_seconds_and_the_next_one_begins() {
        let mut faults = Faults::default();
        let now = Instant::now();
        let short = Order {
            for_seconds: Some(0.5),
            ..order("hang")
        };
        faults.add(short, now).unwrap();
        faults
            .add(
                Order {
                    times: Some(1),
                    ..order("reset")
                },
                now,
            )
            .unwrap();
        let mut take = |ms| faults.take(CODE_TO_SESSION, now + Duration::from_millis(ms));
        assert_eq!(take(499), Some(Kind::Hang));
        assert_eq!(take(500), Some(Kind::Reset));
        assert_eq!(take(501), None);
    }

    #[test]
    fn no_more_wait_than_are_allowed() {
        let mut faults = Faults::default();
        let now = Instant::now();
        for _ in 0..MOST {
            faults
                .add(
                    Order {
                        for_seconds: Some(1.0),
                        ..order("hang")
                    },
                    now,
                )
                .unwrap();
        }
        assert!(
            faults
                .add(order("hang"), now)
                .unwrap_err()
                .contains("DELETE")
        );
        let later = now + Duration::from_secs(1);
        faults.add(order("reset"), later).unwrap();
        assert_eq!(faults.list(later).len(), 1);
    }
}
