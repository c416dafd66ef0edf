//! Where pictures are remade: two at once, since each takes a core and memory, and some that wait.

use std::sync::Arc;

use menjin_core::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::picture::remake;
use crate::failure::Failure;

/// Pictures that are remade at once.
const BENCHES: usize = 2;
/// Uploads under way, those that are still arriving included. Each may hold a whole file.
const PLACES: usize = 32;

/// Turns files into pictures of ours.
pub(crate) struct Workshop {
    places: Arc<Semaphore>,
    benches: Arc<Semaphore>,
}

/// The right to upload a picture; whoever drops it leaves.
pub(crate) struct Place(
    #[expect(dead_code, reason = "what counts is when it is dropped")] OwnedSemaphorePermit,
);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            benches: Arc::new(Semaphore::new(BENCHES)),
        }
    }

    /// A place for one upload.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] when all are taken.
    pub(crate) fn enter(&self) -> Result<Place, Failure> {
        let place = self.places.clone().try_acquire_owned();
        place
            .map(Place)
            .map_err(|_| Failure::Unavailable(Arc::new(Full)))
    }

    /// Remakes a file. What has begun goes on when the caller leaves, and keeps its bench.
    ///
    /// # Errors
    ///
    /// [`Refusal::PictureRefused`] and [`Refusal::PictureTooLarge`].
    pub(crate) async fn remake(&self, place: Place, file: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let bench = self.benches.clone().acquire_owned().await;
        let bench = bench.map_err(Failure::broken)?;
        let remade = tokio::task::spawn_blocking(move || {
            let remade = remake(&file);
            drop((bench, place));
            remade
        });
        match remade.await {
            Ok(remade) => Ok(remade?),
            Err(error) => {
                tracing::warn!(%error, "a picture brought its decoder down");
                Err(Refusal::PictureRefused("the picture cannot be read").into())
            }
        }
    }
}

/// There are uploads enough.
#[derive(Debug, thiserror::Error)]
#[error("too many pictures are being uploaded")]
struct Full;

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves PRF-6: there is room for so many uploads, and no more until one is over.
    #[tokio::test]
    async fn places_are_bounded() {
        let workshop = Workshop::new();
        let mut places: Vec<_> = (0..PLACES)
            .map(|_| workshop.enter().ok().unwrap())
            .collect();
        assert!(matches!(workshop.enter(), Err(Failure::Unavailable(_))));
        let refused = workshop.remake(places.pop().unwrap(), b"GIF89a".to_vec());
        assert!(matches!(
            refused.await,
            Err(Failure::Refused(Refusal::PictureRefused(_)))
        ));
        assert!(workshop.enter().is_ok());
    }
}
