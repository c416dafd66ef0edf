//! `POST /cgi-bin/stable_token`, and the one token of each app that is kept in memory.
//!
//! In normal mode WeChat gives everybody who asks the same token until its last five minutes, so
//! replicas need not agree on one:
//! <https://developers.weixin.qq.com/doc/subscription/api/base/api_getstableaccesstoken.html> (seen
//! 2026-11-22). Within one process, whoever needs a token joins the call that is under way. All who
//! wait for that call drive it: it goes on when one of them leaves, and ends with the last.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use menjin_core::{Appid, Secret, secret::same};
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{Client, Inner},
    error::Error,
    reply::{self, Value},
};

/// How long before its end a token is renewed. WeChat honours the old one beside the new until then.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// Characters of a token that are taken. WeChat asks to make room for 512.
const LONGEST: usize = 2048;
/// Seconds that a token may last; WeChat says 300 to 7200.
const LIFE: std::ops::RangeInclusive<i64> = 1..=86_400;

/// What proves to WeChat that we act for an app, in the calls that do not take the AppSecret.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token. Whoever holds it can call WeChat in the app's name.
    pub value: Secret,
    /// Time from now for which WeChat honours it.
    pub expires_in: Duration,
}

/// The token of one app.
#[derive(Default)]
pub(crate) struct TokenSlot(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    kept: Option<Kept>,
    /// The call under way, alive as long as somebody waits for it.
    fetch: Option<WeakShared<Fetch>>,
}

type Fetch = BoxFuture<'static, Result<Kept, Error>>;

/// A token, and its moments in uptime.
#[derive(Clone)]
struct Kept {
    value: Secret,
    renew_at: Duration,
    ends_at: Duration,
}

impl TokenSlot {
    /// Forgets the token that WeChat has just refused, unless another has taken its place.
    pub(crate) fn refuse(&self, refused: &Secret) {
        let refused = refused.expose().as_bytes();
        self.lock()
            .kept
            .take_if(|kept| same(kept.value.expose().as_bytes(), refused));
    }

    fn settle(&self, outcome: &Result<Kept, Error>) {
        let mut slot = self.lock();
        slot.fetch = None;
        if let Ok(kept) = outcome {
            slot.kept = Some(kept.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// The app's token: the one in memory until five minutes before its end, then a new one. Callers
    /// of one moment share one call, and each waits for the time limit at most.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`], also for those who joined another's call.
    pub async fn access_token(&self, appid: &Appid) -> Result<AccessToken, Error> {
        let kept = self.kept(appid).await?;
        let expires_in = kept.ends_at.saturating_sub(self.inner.clock.uptime());
        Ok(AccessToken {
            value: kept.value,
            expires_in,
        })
    }

    /// As [`Client::access_token`], the token alone.
    ///
    /// # Errors
    ///
    /// See there.
    pub(crate) async fn token(&self, appid: &Appid) -> Result<Secret, Error> {
        self.kept(appid).await.map(|kept| kept.value)
    }

    async fn kept(&self, appid: &Appid) -> Result<Kept, Error> {
        let app = self.inner.app(appid)?;
        let fetch = {
            let now = self.inner.clock.uptime();
            let mut slot = app.token.lock();
            if let Some(kept) = slot.kept.as_ref().filter(|kept| now < kept.renew_at) {
                return Ok(kept.clone());
            }
            let under_way = slot.fetch.as_ref().and_then(WeakShared::upgrade);
            under_way.unwrap_or_else(|| {
                let fetch = fetch(self.inner.clone(), appid.clone()).boxed().shared();
                slot.fetch = Shared::downgrade(&fetch);
                fetch
            })
        };
        fetch.await
    }
}

/// Asks WeChat for a token and keeps it before anybody learns of it, so that nobody asks again.
async fn fetch(inner: Arc<Inner>, appid: Appid) -> Result<Kept, Error> {
    let app = inner.app(&appid)?;
    let outcome = inner.stable_token(&appid).await;
    app.token.settle(&outcome);
    outcome
}

impl Inner {
    async fn stable_token(&self, appid: &Appid) -> Result<Kept, Error> {
        let app = self.app(appid)?;
        let secret = app.secret.expose();
        let target = format!("{}/cgi-bin/stable_token", self.origin.path);
        let body = json!({
            "grant_type": "client_credential",
            "appid": appid.as_str(),
            "secret": secret,
        });
        let request = self.post(&target, &body);
        // From before the call: WeChat counts from some moment within it.
        let asked_at = self.clock.uptime();
        self.ask(app, &request, self.timeout, |status, body| {
            reply::accept(status, body, &[secret])?;
            reply::members::<Reply<'_>>(body)?.kept(asked_at)
        })
        .await
    }
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    access_token: Value<'a>,
    #[serde(borrow, default)]
    expires_in: Value<'a>,
}

impl Reply<'_> {
    fn kept(&self, asked_at: Duration) -> Result<Kept, Error> {
        let token = self
            .access_token
            .text()
            .ok_or(Error::Garbled("no access_token"))?;
        let sane = (1..=LONGEST).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !sane {
            return Err(Error::Garbled("an impossible access_token"));
        }
        let life = self
            .expires_in
            .number()
            .filter(|seconds| LIFE.contains(seconds))
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs)
            .ok_or(Error::Garbled("an impossible expires_in"))?;
        // One that is in its last five minutes from the start is still used for half of its time.
        let fresh = life
            .checked_sub(RENEW_BEFORE)
            .filter(|fresh| !fresh.is_zero())
            .unwrap_or(life / 2);
        Ok(Kept {
            value: Secret::new(token),
            renew_at: asked_at + fresh,
            ends_at: asked_at + life,
        })
    }
}
