//! When the thread that writes commits next.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// Commits are at least this far apart, as long as that brings stories together.
const APART: Duration = Duration::from_millis(4);
/// Commits that nothing is awaited for after one that was awaited in vain: whoever writes one story
/// after the other is not to wait each time.
const UNAWAITED: u32 = 32;

/// How commits follow one another.
#[derive(Default)]
pub(super) struct Pace {
    committed_at: Option<Instant>,
    /// Commits to come that nothing is awaited for.
    unawaited: u32,
}

impl Pace {
    pub(super) fn committed(&mut self) {
        self.committed_at = Some(Instant::now());
    }

    /// Waits for more messages, `most` in all, if the last commit was just now and it has lately paid
    /// to wait.
    pub(super) fn gather<T>(
        &mut self,
        messages: &mut Vec<T>,
        queue: &mut mpsc::Receiver<T>,
        most: usize,
    ) {
        let since = self.committed_at.map_or(APART, |at| at.elapsed());
        let Some(wait) = APART.checked_sub(since).filter(|wait| !wait.is_zero()) else {
            return;
        };
        if self.unawaited > 0 {
            self.unawaited -= 1;
            return;
        }
        std::thread::sleep(wait);
        let before = messages.len();
        while messages.len() < most
            && let Ok(message) = queue.try_recv()
        {
            messages.push(message);
        }
        if messages.len() == before {
            self.unawaited = UNAWAITED;
        }
    }
}
