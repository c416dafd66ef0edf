//! Takes Menjin's access tokens in a service of yours.
//!
//! Menjin signs people in to WeChat mini programs and hands each an access token, a JWT after RFC 9068. The
//! mini program sends it to your service as `Authorization: Bearer ..`, and this crate tells you who
//! that is: before each request, from memory, without asking anybody.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use menjin_guard::{Guard, User};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = "from your configuration";
//! let guard = Guard::new("https://door.example.edu.cn") // the issuer: `server.public_url` of Menjin
//!     .audience("repairs") // this service, as `token.audience` names it
//!     .service("repairs", secret) // from `menjin service add repairs --may follow`
//!     .start()
//!     .await?;
//! let app = Router::new()
//!     .route("/hello", get(hello))
//!     .layer(guard.layer());
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
//! # axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//!
//! async fn hello(user: User) -> String {
//!     format!("hello {}", user.uid())
//! }
//! ```
//!
//! # What comes through
//!
//! A token that Menjin signed with a key that it shows, that names this service in `aud`, whose time has
//! come and is not over, and that was not revoked. Everything else gets the answer that Menjin
//! itself would give ([`Refused`]):
//!
//! | sent | answer |
//! | --- | --- |
//! | no `Authorization` | 401 `{"error":"Unauthorized for no Authorization"}` |
//! | another scheme than `Bearer` | 401 `{"error":"Unauthorized for no Bearer"}` |
//! | a token whose time is over | 401 `{"error":"token_expired"}` |
//! | any other token, a guest's among them | 401 `{"error":"invalid_token"}` |
//! | a good token, and the handler asks for somebody else | 403 `{"success":false,"error":"forbidden",..}` |
//! | a good token that cannot be checked now | 503 with `Retry-After` |
//!
//! With 401 the mini program signs in again and repeats its request, which Menjin's own package
//! for mini programs does by itself. Why a token was refused is in the log of this crate at the level `debug`.
//!
//! # Who it is
//!
//! A handler says whom it is for by what it takes: [`User`], [`Admin`], [`Guest`], [`Caller`] (any of
//! them), or an `Option` of one, which is `None` of somebody else. Guests are people who
//! have not registered; they are let in only with [`Builder::accept_guests`]. Where a route is for
//! everybody, [`GuardLayer::optional`] lets requests without a token through.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use menjin_guard::{Admin, Guard, User};
//!
//! # fn routes(guard: &Guard) -> Router {
//! let open = Router::new()
//!     .route("/news", get(news))
//!     .layer(guard.layer().optional());
//! let closed = Router::new()
//!     .route("/orders", get(orders))
//!     .route("/report", get(report))
//!     .layer(guard.layer());
//! open.merge(closed)
//! # }
//!
//! async fn news(user: Option<User>) -> &'static str {
//!     if user.is_some() { "for you" } else { "for all" }
//! }
//!
//! async fn orders(user: User) -> String {
//!     format!("orders of {}", user.uid())
//! }
//!
//! async fn report(_: Admin) -> &'static str {
//!     "everything"
//! }
//! ```
//!
//! The layer works in front of any tower service over `http`'s types whose response body can be made from
//! [`Bytes`](bytes::Bytes); without axum (`default-features = false`) take the [`Caller`] out of the request's
//! extensions. For whatever is not HTTP there is [`Guard::check`]:
//!
//! ```no_run
//! # use menjin_guard::{Guard, Refused};
//! async fn first_message(guard: &Guard, token: &str) -> Result<i64, Refused> {
//!     let caller = guard.check(token).await?;
//!     caller.uid().ok_or(Refused::Forbidden)
//! }
//! ```
//!
//! # What the guard does meanwhile
//!
//! Two tasks in the background keep what the checks read; they end when the last [`Guard`] is dropped.
//!
//! - **Keys** are fetched again before the time is over that `Cache-Control` gives them. A token that
//!   names a key which is not known makes the guard ask at once, once in ten seconds at most, and everybody who
//!   has such a token waits for the same answer.
//! - **Revocations** (with [`Builder::service`]) come over a request that waits until there is something. A
//!   sign-out, a ban, another role or a removed key counts here as soon as that answer is there, for
//!   tokens that were seen before as well.
//!
//! Without [`Builder::service`] there are only the keys: then a ban is noticed when the token is over, an
//! hour later at most.
//!
//! # When Menjin is away
//!
//! Nothing changes for [`Builder::stale_after`] (30 s): keys, revocations and everybody who is signed in stay
//! as they were, also those with a token that was never seen here. After that the guard can no longer
//! know whether a token was revoked, and refuses good ones with 503 until Menjin answers again, or takes
//! them, if you prefer that: [`WhenStale`]. Without the feed keys are kept for as long as Menjin is
//! away. [`Builder::start`] needs Menjin, [`Builder::start_lazily`] does not, and [`Guard::is_ready`] is for
//! your readiness check. A failure is one line in the log, with what to do, and another when it is over.
//!
//! # What it costs
//!
//! A token that was seen within the last minute costs a SHA-256 of it, one lock for reading, and a look at
//! the clock: about a microsecond. A new one costs a check of its signature, some fifty microseconds more.
//! `cargo run --release --example cost -p menjin-guard` measures both on your machine. 16,384 tokens are
//! remembered, half a kilobyte each; a million revocations take about 60 MB. Menjin gets a request every five
//! seconds, and one for keys every few minutes.
//!
//! # What it does not do
//!
//! - It signs nobody in, and renews no token: that is between the mini program and Menjin.
//! - It knows no phone number, nickname or openid. A token holds none; ask `POST /oauth/introspect` for the
//!   openid.
//! - It decides nothing but who calls. What they may do with the orders of others is yours to say.
//! - It does not take a token from a cookie or a query.
//! - It does not correct the clock. Let it be within a minute of Menjin's.
//! - It does not end what is under way: a websocket that outlives its token is yours to close, at
//!   [`Caller::expires_at`].

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
