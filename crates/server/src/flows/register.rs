//! Becoming a user: by the code of a text message, by WeChat's phone button, or as somebody who was
//! imported.
//!
//! What is answered before a code is sent is a hint; the story that spends the code decides, and
//! decides alone: it takes the turns of the person and of the number first.

use menjin_core::{
    Identity, IdentityId, Input, Phone, Refusal, User,
    clock::Instant,
    verification::{Code, Purpose},
};
use menjin_store::{Channel, Entry, NewUser, Tx};
use menjin_wechat::PhoneCode;

use super::{
    check_code::{check_code, take_back},
    contacts,
    send_code::{Asked, new_send, reserve, send_code},
};
use crate::{app::App, failure::Failure};

/// What came of asking with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A code is on its way.
    CodeSent,
    /// The number belongs to an account; nothing was sent.
    UserExists,
    /// The number belongs to an imported account; a code to take it over is on its way.
    NeedsMigration,
}

/// What came of proving a number.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// There is a new account.
    Registered(User),
    /// An imported account is the person's now.
    Migrated(User),
    /// The number belongs to somebody; nothing was changed.
    UserExists,
}

/// Sends a code to a number, for what that number needs.
pub(crate) async fn ask(app: &App, mut asked: Asked, phone: &Phone) -> Result<Answer, Failure> {
    asked.consent = consented(app, asked.consent)?;
    let number = phone.clone();
    let found = app
        .store
        .read(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.user_find_by_phone(&number).await?) })
        })
        .await?;
    let answer = match found {
        Some(user) if user.is_registered() => {
            // Who asks about many numbers learns no more than who has codes sent to them.
            let send = new_send(app, &asked, Channel::None, phone.as_str(), app.clock.now());
            reserve(app, send, asked.former).await?;
            return Ok(Answer::UserExists);
        }
        Some(_) => {
            asked.purpose = Purpose::Migrate;
            Answer::NeedsMigration
        }
        None => Answer::CodeSent,
    };
    send_code(app, &asked, phone).await?;
    Ok(answer)
}

/// Takes the number that WeChat's phone button gave, for this person.
pub(crate) async fn by_phone_button(
    app: &App,
    identity: &Identity,
    code: &PhoneCode,
    consent: Option<String>,
) -> Result<Outcome, Failure> {
    let consent = consented(app, consent)?;
    let phone = phone_of(app, identity, code).await?;
    let digest = contacts::digest(&app.options.master_keys, phone.as_str());
    let proof = Proof {
        person: identity.id,
        phone,
        digest,
        consent,
        spends: None,
        now: app.clock.now(),
    };
    proof.settle(app).await
}

/// The number behind a code of WeChat's phone button. WeChat checks that the code is this person's.
pub(crate) async fn phone_of(
    app: &App,
    identity: &Identity,
    code: &PhoneCode,
) -> Result<Phone, Failure> {
    let openid = Some(&identity.openid);
    let number = app
        .wechat
        .phone_number(&identity.appid, code, openid)
        .await?;
    let text = format!("+{}{}", number.country_code, number.pure_number);
    let phone = Phone::parse(&text, &app.options.registration.calling_codes);
    phone.map_err(|_| Refusal::Invalid(Input("phone")).into())
}

/// Spends the code of a message, for whoever asked for it. `asker`, if it is told, has to be that one.
pub(crate) async fn by_code(
    app: &App,
    purpose: Purpose,
    phone: &Phone,
    code: &Code,
    asker: Option<&str>,
) -> Result<(IdentityId, Outcome), Failure> {
    let digest = contacts::digest(&app.options.master_keys, phone.as_str());
    let checked = check_code(app, purpose, digest, code, asker).await?;
    let wrong = Refusal::WrongCode(purpose);
    let person = IdentityId::parse(&checked.verification.asker).map_err(|_| wrong)?;
    let proof = Proof {
        person,
        phone: phone.clone(),
        digest,
        consent: checked.verification.consent,
        spends: Some((purpose, checked.verification.id, checked.guess)),
        now: app.clock.now(),
    };
    let settled = proof.settle(app).await;
    if settled.is_err() {
        take_back(app, checked.guess).await?;
    }
    Ok((person, settled?))
}

/// The version of the policy that a person agreed to, where there has to be one.
fn consented(app: &App, given: Option<String>) -> Result<Option<String>, Refusal> {
    match &app.options.registration.policy {
        None => Ok(None),
        Some(policy) if given.as_ref() == Some(policy) => Ok(given),
        Some(_) => Err(Refusal::ConsentNeeded),
    }
}

/// A number that was proved to be a person's.
struct Proof {
    person: IdentityId,
    phone: Phone,
    digest: [u8; 32],
    consent: Option<String>,
    /// The verification to spend and the try to take back; nothing where WeChat spent its own code.
    spends: Option<(Purpose, [u8; 16], [u8; 16])>,
    now: Instant,
}

impl Proof {
    async fn settle(self, app: &App) -> Result<Outcome, Failure> {
        let keys = &app.options.master_keys;
        let turn = keys.digest("turn", &[&self.person.to_string()]);
        let story = app.store.write(move |tx| {
            Box::pin(async move {
                tx.turn_take(&turn, self.now).await?;
                tx.turn_take(&self.digest, self.now).await?;
                self.tell(tx).await
            })
        });
        let outcome = story.await?;
        match &outcome {
            Outcome::Registered(user) => tracing::info!(uid = %user.uid, "registered"),
            Outcome::Migrated(user) => tracing::info!(uid = %user.uid, "migrated"),
            Outcome::UserExists => tracing::info!("the number belongs to an account"),
        }
        Ok(outcome)
    }

    async fn tell(&self, tx: &mut Tx) -> Result<Outcome, Failure> {
        if let Some((purpose, id, guess)) = &self.spends {
            if !tx.verification_spend(id, self.now).await? {
                return Err(Refusal::WrongCode(*purpose).into());
            }
            tx.guess_take_back(guess).await?;
        }
        let person = tx.identity_find_by_id(&self.person).await?;
        let person = person.ok_or(Refusal::TokenInvalid)?;
        if person.user.as_ref().is_some_and(User::is_registered) {
            return Err(Refusal::AlreadyRegistered.into());
        }
        match tx.user_find_by_phone(&self.phone).await? {
            Some(user) if user.is_registered() => Ok(Outcome::UserExists),
            Some(user) => self.migrate(tx, &user).await,
            None => self.register(tx).await,
        }
    }

    async fn register(&self, tx: &mut Tx) -> Result<Outcome, Failure> {
        let new = NewUser {
            phone: Some(self.phone.as_str()),
            phone_verified_at: Some(self.now),
            consent: self.consent.as_deref(),
            ..NewUser::empty(self.now)
        };
        let Some(uid) = tx.user_create(&new).await? else {
            return Ok(Outcome::UserExists);
        };
        tx.identity_relink(&self.person, uid).await?;
        self.audit(tx, "registered", uid).await?;
        let user = tx.user_find(uid).await?;
        Ok(Outcome::Registered(user.ok_or_else(lost)?))
    }

    async fn migrate(&self, tx: &mut Tx, user: &User) -> Result<Outcome, Failure> {
        user.admit()?;
        let consent = self.consent.as_deref();
        if !tx.user_claim(user.uid, consent, self.now).await? {
            return Ok(Outcome::UserExists);
        }
        tx.identity_relink(&self.person, user.uid).await?;
        self.audit(tx, "migrated", user.uid).await?;
        let user = tx.user_find(user.uid).await?;
        Ok(Outcome::Migrated(user.ok_or_else(lost)?))
    }

    async fn audit(&self, tx: &mut Tx, event: &str, uid: menjin_core::Uid) -> Result<(), Failure> {
        let entry = Entry {
            event,
            actor: &uid.to_string(),
            subject: &uid.to_string(),
            detail: "{}",
        };
        Ok(tx.audit(&entry, self.now).await?)
    }
}

pub(super) fn lost() -> Failure {
    Failure::broken(Lost)
}

/// What was just written is not there.
#[derive(Debug, thiserror::Error)]
#[error("what was just written is gone")]
struct Lost;
