//! Changing what a person says of themselves: all of it or nothing, and exactly what changed is told.

use std::sync::Arc;

use menjin_core::{
    Input, Refusal, Role, Uid, User,
    clock::Instant,
    profile::{Field, Kind},
};
use menjin_store::{Entry, Tx};
use menjin_wechat::Verdict;
use serde_json::{Map, Value, json};

use super::set_avatar::drop_picture;
use crate::{app::App, avatars, bearer::Caller, failure::Failure, tokens::Known};

/// What is asked for; whoever made it has looked whether each value can be.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) nickname: Option<String>,
    pub(crate) campus: Option<String>,
    /// An address on a host that may be named, one of ours, or empty.
    pub(crate) avatar: Option<String>,
    pub(crate) role: Option<Role>,
    /// The deployment's own fields.
    pub(crate) own: Vec<(Field, Value)>,
    /// Whether only an administrator may do this.
    pub(crate) needs_admin: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Each field that is another one now, with its value.
    pub(crate) fields: Map<String, Value>,
    /// The account, if its older tokens are worth nothing any more.
    pub(crate) renewed: Option<User>,
}

/// Changes the profile of the caller.
pub(crate) async fn set_profile(
    app: &App,
    caller: &Caller,
    changes: Changes,
) -> Result<Changed, Failure> {
    let user = caller.user()?;
    let nickname = changes.nickname.as_deref();
    let nickname = nickname.filter(|name| !name.is_empty() && *name != user.nickname);
    let unchecked = match nickname {
        Some(nickname) if app.options.profile.check_nickname => {
            !check(app, caller, nickname).await?
        }
        _ => false,
    };
    let (uid, now) = (user.uid, app.clock.now());
    let story = Story {
        app: app.clone(),
        uid,
        epoch: user.epoch,
        claims: caller.claims.clone(),
        changes,
        unchecked,
        now,
    };
    let told = app.store.write(move |tx| Box::pin(story.tell(tx)));
    let done = told.await?;
    if !done.fields.is_empty() {
        app.must_scrub.raise();
    }
    if let Some(user) = &done.renewed {
        tracing::info!(%uid, role = user.role.as_str(), "another role");
    }
    Ok(done)
}

/// Has WeChat look at a nickname; `false` if it could not be asked.
async fn check(app: &App, caller: &Caller, nickname: &str) -> Result<bool, Failure> {
    let Some(identity) = &caller.identity else {
        return Ok(false);
    };
    let asked = app
        .wechat
        .check_text(&identity.appid, &identity.openid, nickname);
    match asked.await {
        Ok(Verdict::Risky) => Err(Refusal::ContentRejected.into()),
        Ok(Verdict::Pass | Verdict::Review) => Ok(true),
        Err(error) => {
            let error = &error as &(dyn std::error::Error + 'static);
            tracing::warn!(error, "a nickname could not be checked");
            Ok(false)
        }
    }
}

struct Story {
    app: App,
    uid: Uid,
    /// As the caller's token found it.
    epoch: i64,
    /// The caller's token.
    claims: Arc<Known>,
    changes: Changes,
    /// WeChat was not able to look at the nickname.
    unchecked: bool,
    now: Instant,
}

impl Story {
    async fn tell(self, tx: &mut Tx) -> Result<Changed, Failure> {
        let user = tx.user_lock(self.uid, self.now).await?;
        let mut user = user.ok_or(Refusal::TokenInvalid)?;
        // Whatever ended the caller's token since it was looked at ends this as well.
        let revoked = tx.revocation_find(&self.claims.jti).await?;
        if user.admit().is_err() || user.epoch != self.epoch || revoked {
            return Err(Refusal::TokenInvalid.into());
        }
        // The caller may have been one when the token was looked at.
        if self.changes.needs_admin && user.role != Role::Admin {
            return Err(Refusal::Forbidden.into());
        }
        let former = user.avatar.clone();
        let mut fields = self.apply(&mut user)?;
        if !fields.is_empty() {
            tx.user_set_profile(&user, self.now).await?;
            let names: Vec<_> = fields.keys().collect();
            self.audit(tx, "profile_changed", &json!({ "fields": names }))
                .await?;
        }
        if user.avatar != former {
            drop_picture(&self.app, tx, &former).await?;
        }
        if self.unchecked && fields.contains_key("nickname") {
            self.audit(tx, "nickname_unchecked", &json!({})).await?;
        }
        let renewed = self.set_role(tx).await?;
        if let Some(user) = &renewed {
            fields.insert("role".to_owned(), user.role.as_str().into());
        }
        Ok(Changed { fields, renewed })
    }

    /// Changes the account in memory; what changed.
    fn apply(&self, user: &mut User) -> Result<Map<String, Value>, Refusal> {
        let mut fields = Map::new();
        if let Some(avatar) = &self.changes.avatar
            && *avatar != user.avatar
        {
            // A picture of ours that the account does not show is somebody else's, or gone.
            if avatars::name_in(&self.app, avatar).is_some() {
                return Err(Refusal::Invalid(Input("avatar")));
            }
        }
        let texts = [
            ("nickname", &mut user.nickname, &self.changes.nickname),
            ("campus", &mut user.campus, &self.changes.campus),
            ("avatar", &mut user.avatar, &self.changes.avatar),
        ];
        for (name, held, wanted) in texts {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != held) {
                held.clone_from(wanted);
                fields.insert(name.to_owned(), wanted.as_str().into());
            }
        }
        for (field, wanted) in &self.changes.own {
            if held(&user.profile, field) != *wanted {
                if wanted.is_null() {
                    user.profile.remove(field.name);
                } else {
                    user.profile.insert(field.name.to_owned(), wanted.clone());
                }
                fields.insert(field.name.to_owned(), wanted.clone());
            }
        }
        Ok(fields)
    }

    async fn set_role(&self, tx: &mut Tx) -> Result<Option<User>, Failure> {
        let Some(role) = self.changes.role else {
            return Ok(None);
        };
        if !tx.user_set_role(self.uid, role, self.now).await? {
            return Ok(None);
        }
        self.audit(tx, "role_changed", &json!({ "role": role.as_str() }))
            .await?;
        Ok(tx.user_find(self.uid).await?)
    }

    async fn audit(&self, tx: &mut Tx, event: &str, detail: &Value) -> Result<(), Failure> {
        let entry = Entry {
            event,
            actor: &self.uid.to_string(),
            subject: &self.uid.to_string(),
            detail: &detail.to_string(),
        };
        Ok(tx.audit(&entry, self.now).await?)
    }
}

/// What a field of the deployment's own holds. Text that was never set is empty.
fn held(profile: &Map<String, Value>, field: &Field) -> Value {
    match (profile.get(field.name), &field.kind) {
        (Some(value), _) => value.clone(),
        (None, Kind::Text(_)) => "".into(),
        (None, _) => Value::Null,
    }
}
