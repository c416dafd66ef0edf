//! Where pictures are remade: one at a time, since each takes a core and up to 48 MiB, and some that wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use menjin_core::{Refusal, Uid};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::picture::remake;
use crate::failure::Failure;

/// Pictures that are remade at once.
const BENCHES: usize = 1;
/// Uploads under way, those that are still arriving included. Each may hold a whole file.
const PLACES: usize = 32;
/// Those of one person: nobody is to hold all of them.
const OF_ONE: usize = 2;

type Busy = Arc<Mutex<HashMap<Uid, usize>>>;

/// Turns files into pictures of ours.
pub(crate) struct Workshop {
    places: Arc<Semaphore>,
    busy: Busy,
    benches: Arc<Semaphore>,
}

/// The right to upload a picture; whoever drops it leaves.
pub(crate) struct Place {
    #[expect(dead_code, reason = "what counts is when it is dropped")]
    permit: OwnedSemaphorePermit,
    whose: Uid,
    busy: Busy,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.whose);
            }
        }
    }
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            busy: Arc::default(),
            benches: Arc::new(Semaphore::new(BENCHES)),
        }
    }

    /// A place for one upload of this person's.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] when all are taken, or the person has two.
    pub(crate) fn enter(&self, whose: Uid) -> Result<Place, Failure> {
        let full = || Failure::Unavailable(Arc::new(Full));
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.get(&whose).is_some_and(|count| *count >= OF_ONE) {
            return Err(full());
        }
        let place = self.places.clone().try_acquire_owned();
        let permit = place.map_err(|_| full())?;
        *busy.entry(whose).or_default() += 1;
        Ok(Place {
            permit,
            whose,
            busy: self.busy.clone(),
        })
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
        let uid = |n: usize| Uid::new(i64::try_from(n).unwrap() + 1).unwrap();
        let mut places: Vec<_> = (0..PLACES)
            .map(|n| workshop.enter(uid(n / OF_ONE)).ok().unwrap())
            .collect();
        let refused = workshop.enter(uid(PLACES));
        assert!(matches!(refused, Err(Failure::Unavailable(_))));
        let refused = workshop.remake(places.pop().unwrap(), b"GIF89a".to_vec());
        assert!(matches!(
            refused.await,
            Err(Failure::Refused(Refusal::PictureRefused(_)))
        ));
        assert!(workshop.enter(uid(PLACES)).is_ok());
    }

    #[tokio::test]
    async fn nobody_holds_more_than_two() {
        let workshop = Workshop::new();
        let [me, you] = [1, 2].map(|uid| Uid::new(uid).unwrap());
        let mine = [(); OF_ONE].map(|()| workshop.enter(me).ok().unwrap());
        assert!(workshop.enter(me).is_err());
        assert!(workshop.enter(you).is_ok());
        drop(mine);
        assert!(workshop.enter(me).is_ok());
    }
}
