//! Takes Menjin's access tokens in a service of yours.

mod builder;
mod caller;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod feed;
mod guard;
mod keys;
mod layer;
mod memory;
mod refused;
mod source;
mod time;

pub use builder::Builder;
pub use caller::{Admin, Caller, Guest, User};
pub use error::{StartError, Trouble};
pub use guard::Guard;
pub use layer::{GuardLayer, Guarded, GuardedFuture};
pub use memory::WhenStale;
pub use refused::Refused;
#[doc(hidden)]
pub use time::Time;
