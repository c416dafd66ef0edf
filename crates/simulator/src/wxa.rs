//! What an access token opens: phone numbers, the check of texts, and a look at sessions.

use axum::http::Method;
use serde::Serialize;
use serde_json::Value;

use crate::{
    content::{Opinion, Text},
    errcode::Errcode,
    phones::Number,
    wire::Asked,
};

/// That all is well, and perhaps more.
#[derive(Serialize)]
pub(crate) struct Fine<T> {
    errcode: i32,
    errmsg: &'static str,
    #[serde(flatten)]
    more: T,
}

impl<T> Fine<T> {
    fn new(more: T) -> Self {
        Self {
            errcode: 0,
            errmsg: "ok",
            more,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Nothing {}

#[derive(Serialize)]
pub(crate) struct Found {
    #[serde(rename = "phone_info")]
    phone: Told,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    phone_number: String,
    pure_phone_number: String,
    /// WeChat's table says string, its sample shows a number.
    country_code: Value,
    watermark: Watermark,
}

#[derive(Serialize)]
struct Watermark {
    timestamp: i64,
    appid: String,
}

#[derive(Serialize)]
pub(crate) struct Renewed {
    openid: String,
    session_key: String,
}

impl Asked<'_> {
    pub(crate) fn phone_number(&self, body: &[u8]) -> Result<Fine<Found>, Errcode> {
        let appid = self.app()?;
        self.post(Errcode::REQUIRE_POST)?;
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(Errcode::DATA_FORMAT);
        };
        let text = |name| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(Errcode::DATA_FORMAT),
        };
        let (code, openid) = (text("code")?, text("openid")?);
        let code = code.ok_or(Errcode::INVALID_CODE)?;

        let mut world = self.simulator.world();
        let now = world.now();
        let number = world.phones.spend(code, &appid, openid, now)?;
        let as_number = !world.phones.count_answer().is_multiple_of(2);
        let watermark = Watermark {
            timestamp: now / 1000,
            appid,
        };
        let phone = Told::new(number, as_number, watermark);
        Ok(Fine::new(Found { phone }))
    }

    pub(crate) fn check_text(&self, body: &[u8]) -> Result<Opinion, Errcode> {
        let appid = self.app()?;
        self.post(Errcode::REQUIRE_POST_TO_CHECK)?;
        let text = Text::parse(body)?;
        if let Some(writer) = text.writer()? {
            let world = self.simulator.world();
            world.sessions.visited(&appid, writer, world.now())?;
        }
        text.judge(self.rid())
    }

    pub(crate) fn check_session(&self) -> Result<Fine<Nothing>, Errcode> {
        self.session()?;
        Ok(Fine::new(Nothing {}))
    }

    pub(crate) fn reset_session(&self) -> Result<Fine<Renewed>, Errcode> {
        let openid = self.session()?;
        let session_key = self.simulator.inner.dice.session_key();
        self.simulator.world().sessions.reset(openid, &session_key);
        Ok(Fine::new(Renewed {
            openid: openid.to_owned(),
            session_key,
        }))
    }

    /// The openid whose session key the caller has shown to know.
    fn session(&self) -> Result<&str, Errcode> {
        let appid = self.app()?;
        if self.head.method != Method::GET {
            return Err(Errcode::REQUIRE_GET);
        }
        let openid = self.query.need("openid", Errcode::INVALID_OPENID)?;
        if self.query.find("sig_method") != Some("hmac_sha256") {
            return Err(Errcode::INVALID_SIG_METHOD);
        }
        let signature = self.query.need("signature", Errcode::INVALID_SIGNATURE)?;
        let world = self.simulator.world();
        world.sessions.check(&appid, openid, signature)?;
        Ok(openid)
    }

    /// The app that the access token speaks for.
    fn app(&self) -> Result<String, Errcode> {
        let token = self.query.need("access_token", Errcode::TOKEN_MISSING)?;
        let world = self.simulator.world();
        world.tokens.app(token, world.now()).map(str::to_owned)
    }

    fn post(&self, otherwise: Errcode) -> Result<(), Errcode> {
        (self.head.method == Method::POST)
            .then_some(())
            .ok_or(otherwise)
    }
}

impl Told {
    fn new(number: Number, as_number: bool, watermark: Watermark) -> Self {
        let country_code = match number.country.parse::<u32>() {
            Ok(country) if as_number => country.into(),
            _ => number.country.as_str().into(),
        };
        Self {
            phone_number: number.full(),
            pure_phone_number: number.pure,
            country_code,
            watermark,
        }
    }
}
