//! The feed of what counts no more: its pages, and the background task that follows it.

use std::{sync::Arc, time::Duration};

use menjin_core::{
    Instant, Uid,
    revocation::{Entry, Revocation},
};
use serde::Deserialize;

use crate::{
    error::{Log, Trouble},
    memory::Memory,
    source::Source,
    time::BackOff,
};

/// How often what is over is forgotten.
const PURGE_EVERY: Duration = Duration::from_mins(5);
/// An answer without news that came much too early is not asked for again before this.
const PAUSE: Duration = Duration::from_millis(500);

/// Entries of a full page, after which there may be more.
const FULL: usize = 1_000;

/// A page of the feed.
#[derive(Debug)]
pub(crate) struct Page {
    /// Nothing up to this number is missing; below the one that was asked for if Menjin's store is an
    /// older one again.
    last: i64,
    /// After which number to ask next.
    end: i64,
    /// How many entries there were, those that are not known here included.
    length: usize,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct RawPage {
    last: i64,
    items: Vec<RawItem>,
}

#[derive(Deserialize)]
struct RawItem {
    seq: i64,
    until: String,
    jti: Option<String>,
    uid: Option<i64>,
    epoch: Option<i64>,
    kid: Option<String>,
}

impl Page {
    /// Reads what comes after `after`. `None` if it is no page, or would lead nowhere.
    pub(crate) fn parse(body: &[u8], after: i64) -> Option<Self> {
        let raw: RawPage = serde_json::from_slice(body).ok()?;
        let mut end = after;
        for item in &raw.items {
            // Numbers that do not grow would have us ask for the same page without end.
            if item.seq <= end {
                return None;
            }
            end = item.seq;
        }
        let length = raw.items.len();
        if length == 0 {
            // What came in between is over by now, and is never sent.
            end = raw.last;
        }
        let mut entries = Vec::with_capacity(raw.items.len());
        for item in raw.items {
            let until: jiff::Timestamp = item.until.parse().ok()?;
            entries.extend(entry(item, until.as_millisecond()));
        }
        Some(Self {
            last: raw.last,
            end,
            length,
            entries,
        })
    }

    /// Whether there was no more when this was answered.
    fn is_whole(&self) -> bool {
        self.length < FULL && self.end >= self.last
    }
}

/// `None` of what this version of the guard does not know.
fn entry(item: RawItem, until: Instant) -> Option<Entry> {
    let seq = item.seq;
    let what = match item {
        RawItem { jti: Some(jti), .. } => Some(Revocation::Token(jti)),
        RawItem { kid: Some(kid), .. } => Some(Revocation::Key(kid)),
        RawItem {
            uid: Some(uid),
            epoch: Some(epoch),
            ..
        } => Uid::new(uid).map(|uid| Revocation::Account { uid, epoch }),
        _ => None,
    };
    if what.is_none() {
        tracing::warn!(
            seq,
            "the revocation feed holds something that this version of menjin-guard does not know: upgrade it"
        );
    }
    Some(Entry {
        seq,
        what: what?,
        until,
    })
}

/// What asking for a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There is another number to ask after.
    News,
    NoNews,
}

/// Follows the feed.
pub(crate) struct Follower {
    memory: Arc<Memory>,
    source: Arc<Source>,
    after: i64,
    /// How long one request waits for news.
    wait: Duration,
}

impl Follower {
    pub(crate) fn new(memory: Arc<Memory>, source: Arc<Source>) -> Self {
        // The age grows to two waits before the second answer is there. With a sixth of what is
        // allowed, two thirds of it are left for Menjin to be away.
        let sixth = memory.rules.stale_after.as_secs() / 6;
        Self {
            memory,
            source,
            after: 0,
            wait: Duration::from_secs(sixth.clamp(1, 30)),
        }
    }

    /// Reads until there is nothing more to read.
    pub(crate) async fn catch_up(&mut self) -> Result<(), Trouble> {
        while self.step(Duration::ZERO).await? != Step::NoNews {}
        Ok(())
    }

    /// Asks for one page.
    async fn step(&mut self, wait: Duration) -> Result<Step, Trouble> {
        let sent = self.memory.time.uptime();
        let page = self.source.page(self.after, wait).await?;
        if page.last < self.after {
            tracing::warn!(
                last = page.last,
                known = self.after,
                "Menjin's store was set back: reading the revocation feed from its beginning; what was revoked stays so"
            );
            self.after = 0;
            return Ok(Step::News);
        }
        self.memory.revoke(&page.entries);
        let moved = page.end > self.after;
        self.after = page.end;
        if page.is_whole() {
            // Whatever was revoked before the request was sent is in the answer. Of what was
            // revoked while it waited that is true as well, and not relied on.
            self.memory.set_fresh(sent);
        }
        Ok(if moved { Step::News } else { Step::NoNews })
    }

    /// Follows for ever.
    pub(crate) async fn follow(mut self) {
        let mut log = Log::new("the revocation feed");
        let mut back_off = BackOff::default();
        let mut purged = self.memory.time.uptime();
        loop {
            let sent = self.memory.time.uptime();
            let wait = self.next_wait(sent);
            let pause = match self.step(wait).await {
                Ok(step) => {
                    log.worked();
                    back_off.reset();
                    let took = self.memory.time.uptime().saturating_sub(sent);
                    // Somebody who does not wait although asked to: a proxy, or a Menjin that is
                    // about to stop.
                    let in_vain = step == Step::NoNews && took < PAUSE && wait > PAUSE;
                    in_vain.then_some(PAUSE)
                }
                Err(trouble) => {
                    log.failed(&trouble);
                    Some(back_off.next())
                }
            };
            if let Some(pause) = pause {
                self.memory.time.sleep(pause).await;
            }
            let uptime = self.memory.time.uptime();
            if uptime >= purged + PURGE_EVERY {
                purged = uptime;
                self.memory.purge();
            }
        }
    }

    /// Whoever is behind asks for an answer at once, so as to be fresh again.
    fn next_wait(&self, uptime: Duration) -> Duration {
        match self.memory.feed_age(uptime) {
            Some(age) if age <= self.wait * 3 => self.wait,
            _ => Duration::ZERO,
        }
    }
}
