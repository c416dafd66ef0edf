//! Callers as arguments of axum's handlers.

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, request::Parts};

use crate::{
    caller::{Admin, Caller, Guest, User},
    layer::Anonymous,
    refused::Refused,
};

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.response::<Body>()
    }
}

/// Who is calling, or `None` where the layer lets anonymous requests through.
fn caller(extensions: &Extensions) -> Result<Option<&Caller>, Refused> {
    if let Some(caller) = extensions.get::<Caller>() {
        return Ok(Some(caller));
    }
    if extensions.get::<Anonymous>().is_some() {
        return Ok(None);
    }
    tracing::error!(
        "a handler asks for the caller and no guard stands before its route: add \
         `.layer(guard.layer())` to the Router, after the routes that it is for"
    );
    Err(Refused::NoLayer)
}

macro_rules! extractor {
    ($type:ident, $of:expr) => {
        /// Nobody is refused with 401, and somebody else with 403.
        impl<S: Sync> FromRequestParts<S> for $type {
            type Rejection = Refused;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
                let caller = caller(&parts.extensions)?.ok_or(Refused::NoAuthorization)?;
                $of(caller).ok_or(Refused::Forbidden)
            }
        }

        /// `None` of nobody and of somebody else.
        impl<S: Sync> OptionalFromRequestParts<S> for $type {
            type Rejection = Refused;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
                Ok(caller(&parts.extensions)?.and_then($of))
            }
        }
    };
}

extractor!(Caller, |caller: &Caller| Some(caller.clone()));
extractor!(User, Caller::user);
extractor!(Admin, Admin::of);
extractor!(Guest, Guest::of);
