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

/// A page of the feed.
#[derive(Debug)]
pub(crate) struct Page {
    /// The newest number there is.
    last: i64,
    /// Where the next page begins.
    end: i64,
    is_empty: bool,
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
        let is_empty = raw.items.is_empty();
        let mut entries = Vec::with_capacity(raw.items.len());
        for item in raw.items {
            let until: jiff::Timestamp = item.until.parse().ok()?;
            entries.extend(entry(item, until.as_millisecond()));
        }
        Some(Self {
            last: raw.last,
            end,
            is_empty,
            entries,
        })
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
        // News that were asked for twice in vain may be as old as three waits (two requests and the
        // time limit of the second): a sixth of what is allowed leaves the other half for Menjin to
        // be away.
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
        while !self.step(Duration::ZERO).await? {}
        Ok(())
    }

    /// Asks for one page. Returns whether it was the last one there is.
    async fn step(&mut self, wait: Duration) -> Result<bool, Trouble> {
        let sent = self.memory.time.uptime();
        let page = self.source.page(self.after, wait).await?;
        if page.last < self.after {
            tracing::warn!(
                last = page.last,
                known = self.after,
                "Menjin's store was set back: reading the revocation feed from its beginning; what was revoked stays so"
            );
            self.after = 0;
            return Ok(false);
        }
        self.memory.revoke(&page.entries);
        self.after = page.end;
        let is_last = page.is_empty || page.end >= page.last;
        if is_last {
            // Whatever was revoked before the request was sent is in the answer. Of what was
            // revoked while it waited that is true as well, and not relied on.
            self.memory.set_fresh(sent);
        }
        Ok(is_last)
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
                Ok(is_last) => {
                    log.worked();
                    back_off.reset();
                    let took = self.memory.time.uptime().saturating_sub(sent);
                    // Somebody who does not wait although asked to: a proxy, or a Menjin that is
                    // about to stop.
                    (is_last && took < PAUSE && wait > PAUSE).then_some(PAUSE)
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
