//! WeChat on your own machine, for any back end that signs mini program users in.
//!
//! It answers `api.weixin.qq.com`'s paths the way WeChat does, down to content types, error texts
//! and the moment at which a code dies, so that a back end in any language can be pointed at it in
//! place of WeChat. What it plays: `GET /sns/jscode2session`, `GET /cgi-bin/token`,
//! `POST /cgi-bin/stable_token`, `POST /wxa/business/getuserphonenumber`,
//! `POST /wxa/msg_sec_check`, `GET /wxa/checksession`, `GET /wxa/resetusersessionkey`, and the
//! events about accounts that WeChat pushes. Nothing is written to disk.
//!
//! Without [`Options::apps`] any appid (`wx` and up to 62 letters and digits) with any secret is
//! accepted, so a newcomer has nothing to configure.
//!
//! A person is a name. Its openid, unionid and phone number follow from the name and the appid, so
//! they are the same on every machine and after every restart. A code lives five minutes, works
//! once and belongs to one app. A session key stays over bursts of sign-ins; every tenth exchange of a person in an
//! app, or one after three days, brings a new one. Times are those of the simulator's own clock,
//! which can be moved. It remembers the 100,000 latest of everything, 1,000 of messages.
//!
//! A text is risky if it holds `risky`, `违规` or WeChat's own test text, doubtful if it holds
//! `review`, and good otherwise. The code of a phone's country is a string in one answer and a number
//! in the next, since WeChat has been seen to give both.
//!
//! # Controls
//!
//! What WeChat does not have: ways to be the phone, to look inside and to break things. Bodies and
//! answers are JSON; a mistake gets 400 and `{"error": "..."}`, which says what to do instead.
//!
//! | control | takes | answers |
//! | --- | --- | --- |
//! | `POST /simulator/login` | `person`, any name; `appid`, optional | `{"code"}`, what `wx.login()` would give that person |
//! | `POST /simulator/phone` | `person`; `number`, to change theirs; `appid` | `{"code"}`, what the phone button would give |
//! | `POST /simulator/encrypt` | `person`, `data`, any object; `appid` | `{"encrypted_data", "iv", "raw_data", "signature"}`, made with the person's session key |
//! | `POST /simulator/events` | `person`, `event`, `url`, `token`; `encoding_aes_key`, `format`, `revoke_info`, `appid` | `{"status", "body"}`, what the back end at `url` said to the event |
//! | `GET /simulator/people` | | `{"people": [{"person", "openids": {appid: openid}, "unionid", "phone"}]}` |
//! | `GET /simulator/sms` | | `{"messages": [{"to", "text", "code", "at"}]}`, the oldest first |
//! | `GET /simulator/mails` | | `{"messages": [{"to", "subject", "text", "html", "link", "at"}]}`, the oldest first |
//! | `DELETE /simulator/sms`, `DELETE /simulator/mails` | | forgets them |
//! | `GET /simulator/calls` | | `{"paths": {path: n}, "codes": {code: n}}`, what arrived so far |
//! | `DELETE /simulator/calls` | | counts from zero again |
//! | `POST /simulator/faults` | `path`, `kind`, what the kind needs; `times` or `for_seconds` | `{"faults": [..]}` that wait |
//! | `GET /simulator/faults` | | the same |
//! | `DELETE /simulator/faults` | | removes them all |
//! | `POST /simulator/clock` | `seconds`, 0 or more | `{"now"}`, milliseconds since 1970 after the move |
//!
//! Kinds of fault: `errcode` (with `errcode`, and `errmsg` to replace WeChat's words), `status`
//! (with `status`), `delay` (with `ms`), `hang`, `reset`, `garbage`, `truncate`. Several faults on
//! a path are served in the order in which they came; one with neither `times` nor `for_seconds`
//! stays until it is deleted. `delay` and `truncate` lose or hold back the answer after WeChat did
//! its work, so the code is spent; the others fail before it, so the code still lives.
//!
//! A `number` is 11 digits for the mainland, or `+`, the code of a country and the number there.
//! An `event` is `user_info_modified`, `user_authorization_revoke` (with `revoke_info`, such as
//! `["8"]` for the phone) or `user_authorization_cancellation`. It goes by plain HTTP to a `url` on
//! this machine, in `json` or `xml` (`format`), signed with `token`; with `encoding_aes_key`, 43
//! characters, it is encrypted. A back end that says nothing within five seconds gets 502. Without
//! `appid` an event and what is encrypted are of the first configured app or, if there are none, of
//! the first that the person was seen in; a code is then of the first configured app or of any.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;

mod answer;
mod apps;
mod calls;
mod codes;
mod content;
mod controls;
mod crypto;
mod dice;
mod encrypted;
mod errcode;
mod faults;
mod fields;
mod line;
mod messages;
mod people;
mod phones;
mod post;
mod push;
mod recent;
mod serve;
mod sessions;
mod stable_tokens;
mod tokens;
mod wire;
mod world;
mod wxa;

pub use encrypted::{EncryptError, Encrypted};
pub use messages::{Mail, Sms};

use apps::Apps;
use dice::{Dice, openid};
use phones::Number;
use world::World;

/// One mini program that the simulator plays WeChat for.
#[derive(Clone)]
pub struct App {
    /// What WeChat calls the mini program, such as `wx0123456789abcdef`.
    pub appid: String,
    /// What a back end must show to act for the mini program. `Debug` leaves it out.
    pub secret: String,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("appid", &self.appid)
            .finish_non_exhaustive()
    }
}

/// What a simulator is told when it starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The mini programs that exist. Empty means that any well-formed appid does, with any secret.
    pub apps: Vec<App>,
}

/// Why a person could not be given a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The name is empty, longer than 64 characters, or has control characters in it.
    #[error("`person` is any name of 1 to 64 characters without control characters, such as 小王")]
    Person,
    /// The number could not be that of a phone.
    #[error(
        "`number` is 11 digits that begin with 13 to 19, or `+`, the code of a country and the \
         number there; or leave it out"
    )]
    Number,
    /// Apps are configured and this is none of them.
    #[error("no app `{0}` is configured here; leave `appid` out, or use one of: {1}")]
    UnknownApp(String, String),
    /// No apps are configured, and this could not be an appid.
    #[error(
        "`{0}` cannot be an appid: that is `wx` and up to 62 letters and digits; or leave it out"
    )]
    MalformedApp(String),
}

/// A WeChat of one's own. Clones are handles on the same one.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    apps: Apps,
    dice: Dice,
    world: Mutex<World>,
}

impl Simulator {
    /// A simulator that has seen nobody yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let inner = Inner {
            apps: Apps::new(options.apps),
            dice: Dice::new(),
            world: Mutex::new(World::default()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The controls alone (`/simulator/...`), to be merged into another router.
    pub fn controls(&self) -> Router {
        controls::router(self.clone())
    }

    /// Serves WeChat's paths and the controls on `listener` until `stop` completes.
    ///
    /// After `stop`, requests that have begun get five seconds to end. Dropping the future ends
    /// everything at once.
    ///
    /// # Errors
    ///
    /// If the listener's address cannot be read, that is, if it is no working listener.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        serve::serve(wire::router(self), listener, stop).await
    }

    /// What `wx.login()` would give `person`: a code that lives five minutes and works once.
    ///
    /// Without `appid` the code belongs to the first configured app; if there are none, to
    /// whichever app exchanges it.
    ///
    /// # Errors
    ///
    /// [`LoginError::Person`] for a name that is none, [`LoginError::UnknownApp`] and
    /// [`LoginError::MalformedApp`] for an appid that WeChat would not know.
    pub fn login(&self, person: &str, appid: Option<&str>) -> Result<String, LoginError> {
        people::check_name(person)?;
        let appid = self.inner.apps.for_login(appid)?;
        let code = self.inner.dice.code();
        self.world().login(&code, person, appid);
        Ok(code)
    }

    /// What the phone button would give for `person`: a code that lives five minutes and works once.
    ///
    /// A `number` becomes the person's, for this code and all later ones: 11 digits, or `+`, the
    /// code of a country and the number there. Which app the code belongs to is as in
    /// [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// As those of [`login`](Self::login), and [`LoginError::Number`] for a number that is none.
    pub fn phone_code(
        &self,
        person: &str,
        number: Option<&str>,
        appid: Option<&str>,
    ) -> Result<String, LoginError> {
        people::check_name(person)?;
        let appid = self.inner.apps.for_login(appid)?;
        let number = number.map(|number| Number::parse(number).ok_or(LoginError::Number));
        let number = number.transpose()?;
        let code = self.inner.dice.phone_code();
        let mut world = self.world();
        if let Some(number) = number {
            world.phones.set_number(person, &number);
        }
        world.tap_phone_button(&code, person, appid);
        Ok(code)
    }

    /// What WeChat's client would give a mini program of `person`: `object`, with the watermark,
    /// under the session key that the person has in the app.
    ///
    /// Without `appid` the app is the first configured one; if there are none, the first that the
    /// person was seen in.
    ///
    /// # Errors
    ///
    /// [`EncryptError::Login`] for a name or an appid that is none, [`EncryptError::NeverSignedIn`]
    /// for a person without a session key there, [`EncryptError::NoObject`] for anything but a JSON
    /// object.
    pub fn encrypt(
        &self,
        person: &str,
        appid: Option<&str>,
        object: Value,
    ) -> Result<Encrypted, EncryptError> {
        people::check_name(person)?;
        let Value::Object(object) = object else {
            return Err(EncryptError::NoObject);
        };
        let appid = self.app_of(person, appid)?;
        let appid = appid.ok_or(EncryptError::NeverSignedIn)?;
        let world = self.world();
        let key = world.sessions.key(&openid(&appid, person));
        let key = key.ok_or(EncryptError::NeverSignedIn)?;
        encrypted::encrypt(object, key, self.inner.dice.block(), &appid, world.now())
    }

    /// Keeps a short message that a back end sent, for `GET /simulator/sms` to show.
    pub fn sms_arrived(&self, sms: Sms) {
        let mut world = self.world();
        let now = world.now();
        world.sms.keep(sms, now);
    }

    /// Keeps a mail that a back end sent, for `GET /simulator/mails` to show.
    pub fn mail_arrived(&self, mail: Mail) {
        let mut world = self.world();
        let now = world.now();
        world.mails.keep(mail, now);
    }

    /// The app that is meant where `person` does something; `None` if nothing says which.
    fn app_of(&self, person: &str, appid: Option<&str>) -> Result<Option<String>, LoginError> {
        let meant = self.inner.apps.for_login(appid)?;
        Ok(meant.or_else(|| self.world().people.first_app(person)))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // Every change is complete before anything could panic, so a poisoned lock is still good.
        self.inner
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
