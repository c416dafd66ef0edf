//! Stories that wait for one another: few at once, since each holds a connection of the database's while it
//! waits, and the rest of the server needs some.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::failure::Failure;

/// Stories that may wait in the database at once.
const AT_ONCE: usize = 4;
/// The longest that one waits here.
const LONGEST: Duration = Duration::from_secs(1);

/// Where a story waits before it takes a turn that many want.
pub(crate) struct Queue(Arc<Semaphore>);

impl Queue {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// Waits until a story may begin; whoever drops what this gives makes room for the next.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] after a second.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let entered = timeout(LONGEST, self.0.clone().acquire_owned()).await;
        let entered = entered.map_err(|_| Failure::Unavailable(Arc::new(Long)))?;
        entered.map_err(Failure::broken)
    }
}

/// Too many wait already.
#[derive(Debug, thiserror::Error)]
#[error("too many wait for their turn")]
struct Long;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn few_are_in_and_nobody_waits_long() {
        let queue = Queue::new();
        let mut inside = Vec::new();
        for _ in 0..AT_ONCE {
            inside.push(queue.enter().await.unwrap());
        }
        let refused = queue.enter().await;
        assert!(matches!(refused, Err(Failure::Unavailable(_))));
        inside.pop();
        assert!(queue.enter().await.is_ok());
    }
}
