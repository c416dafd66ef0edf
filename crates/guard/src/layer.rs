//! The tower layer: checks the token of each request, and hands the caller on.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{caller::Caller, guard::Guard, memory::Verdict, refused::Refused};

/// Marks a request without a token that an optional layer let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anonymous;

/// Puts a guard before a service; made by [`Guard::layer`].
#[derive(Debug, Clone)]
pub struct GuardLayer {
    guard: Guard,
    optional: bool,
}

impl GuardLayer {
    pub(crate) const fn new(guard: Guard) -> Self {
        Self {
            guard,
            optional: false,
        }
    }

    /// Lets requests without an `Authorization` header through as well; `Option<User>` is how a
    /// handler tells them apart. A token that is not good is refused all the same.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a guard. Requests reach it with a [`Caller`] in their extensions.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = GuardedFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let stage = match token_of(request.headers()) {
            Ok(token) => match self.layer.guard.memory().check(token) {
                Verdict::Good(caller) => {
                    request.extensions_mut().insert(caller);
                    Stage::Answering {
                        answer: self.inner.call(request),
                    }
                }
                Verdict::Refused(refused) => Stage::Refused { refused },
                Verdict::KeyUnknown => self.wait(token.to_owned(), request),
            },
            Err(Refused::NoAuthorization) if self.layer.optional => {
                request.extensions_mut().insert(Anonymous);
                Stage::Answering {
                    answer: self.inner.call(request),
                }
            }
            Err(refused) => Stage::Refused { refused },
        };
        GuardedFuture { stage }
    }
}

impl<S: Clone> Guarded<S> {
    /// Takes the service that is ready along, and leaves a clone of it.
    fn wait<B>(&mut self, token: String, request: Request<B>) -> Stage<S, B>
    where
        S: Service<Request<B>>,
    {
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let guard = self.layer.guard.clone();
        let check = Box::pin(async move { guard.check(&token).await });
        Stage::Waiting {
            held: Box::new(Held {
                check,
                request: Some(request),
                inner,
            }),
        }
    }
}

/// A request whose token names a key that is being asked for.
struct Held<S, B> {
    check: Pin<Box<dyn Future<Output = Result<Caller, Refused>> + Send>>,
    request: Option<Request<B>>,
    inner: S,
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S, B>
    where
        S: Service<Request<B>>,
    {
        Answering {
            #[pin]
            answer: S::Future,
        },
        Refused { refused: Refused },
        Waiting { held: Box<Held<S, B>> },
    }
}

pin_project! {
    /// The answer of a guarded service, or the guard's.
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardedFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        stage: Stage<S, B>,
    }
}

impl<S, B, R> Future for GuardedFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            let next = match stage.as_mut().project() {
                StageProjection::Answering { answer } => return answer.poll(context),
                StageProjection::Refused { refused } => {
                    return Poll::Ready(Ok(refused.response()));
                }
                StageProjection::Waiting { held } => {
                    let checked = ready!(held.check.as_mut().poll(context));
                    match (checked, held.request.take()) {
                        (Ok(caller), Some(mut request)) => {
                            request.extensions_mut().insert(caller);
                            Stage::Answering {
                                answer: held.inner.call(request),
                            }
                        }
                        (Err(refused), _) => Stage::Refused { refused },
                        // Never: the request is taken once, and the stage is another then.
                        (Ok(_), None) => Stage::Refused {
                            refused: Refused::Unavailable,
                        },
                    }
                }
            };
            stage.set(next);
        }
    }
}

/// The token of a request: one header, the scheme `Bearer`, one token (RFC 6750 §2.1).
fn token_of(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let first = all.next().ok_or(Refused::NoAuthorization)?;
    // Two headers could mean one thing to a proxy and another to us.
    if all.next().is_some() {
        return Err(Refused::Invalid);
    }
    let bytes = first.as_bytes();
    let (scheme, token) = match bytes.iter().position(|byte| *byte == b' ') {
        Some(space) => bytes.split_at(space),
        None => (bytes, &[][..]),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(Refused::NoBearer);
    }
    let token = std::str::from_utf8(token).map_err(|_| Refused::Invalid)?;
    Ok(token.trim_matches(' '))
}
