//! What a page's form sends, and what stands behind the question mark of an address.

use axum::extract::{FromRequest, Request};
use menjin_core::Refusal;

use super::body::{is_declared, read};
use crate::{app::App, failure::Failure};

/// The fields of a form, from the body of a request. The body is bounded as every other.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl FromRequest<App> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        if !is_declared(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        let bytes = read(request.into_body()).await?;
        Ok(Self::parse(&bytes))
    }
}

impl Form {
    /// Reads fields as browsers write them. There is no text that is not a form.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let fields = form_urlencoded::parse(bytes);
        Self(fields.into_owned().collect())
    }

    /// The field of that name; `None` if it is not there, or stands there twice.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.value(name)?.ok()
    }

    /// The field of that name, if it is there.
    pub(crate) fn value(&self, name: &str) -> Option<Result<&str, Twice>> {
        let mut all = self.0.iter().filter(|(key, _)| key == name);
        let (_, first) = all.next()?;
        Some(if all.next().is_some() {
            Err(Twice)
        } else {
            Ok(first)
        })
    }
}

/// A field stands there more than once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Twice;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stands_once() {
        let form = Form::parse(b"token=a%2Eb&other=%E4%B8%AD+x&twice=1&twice=1&empty=");
        assert_eq!(form.field("token"), Some("a.b"));
        assert_eq!(form.field("other"), Some("中 x"));
        assert_eq!(form.field("empty"), Some(""));
        assert_eq!(form.field("twice"), None);
        assert_eq!(form.field("absent"), None);
        assert_eq!(form.value("twice"), Some(Err(Twice)));
        assert_eq!(form.value("absent"), None);
        assert_eq!(Form::parse(b"\xff&&==%zz").field("token"), None);
    }
}
