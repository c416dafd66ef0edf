//! A request's body as it is, for what is neither JSON nor a form by its declaration.

use axum::extract::{FromRequest, Request};

use super::body::read;
use crate::{app::App, failure::Failure};

/// The bytes of a body, whatever it is declared as. It is bounded as every other.
#[derive(Debug)]
pub(crate) struct RawBody(pub(crate) Vec<u8>);

impl FromRequest<App> for RawBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        Ok(Self(read(request.into_body()).await?))
    }
}
