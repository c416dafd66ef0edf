//! Another mail address for an account: a link goes there, and the button of the page behind it is what
//! counts. A program that opens links in mails changes nothing.

use std::time::Duration;

use menjin_core::{
    Email, Refusal, Secret, Uid, User,
    clock::Instant,
    identity::random_bytes,
    secret::same,
    verification::{LINK_TTL, Purpose},
};
use menjin_messages::{RefusedKind, SendError, templates::MailWords};
use menjin_store::{Channel, Entry, NewVerification, Tx, Verification};

use super::{
    contacts,
    errands::{self, Errand, MailNotice},
    send_code::{Asked, hand_over, new_send},
};
use crate::{app::App, failure::Failure};

/// Where the links lead.
pub(crate) const PATH: &str = "/v1/user/email/confirm";
const BAD_LINK: Refusal = Refusal::WrongCode(Purpose::NewEmail);

/// What a link says: which verification, and 256 random bits that only its reader knows.
pub(crate) struct Link {
    id: [u8; 16],
    secret: Secret,
}

impl Link {
    fn random(id: [u8; 16]) -> Self {
        let [high, low]: [[u8; 16]; 2] = [random_bytes(), random_bytes()];
        let secret = Secret::new(&format!("{}{}", hex(high), hex(low)));
        Self { id, secret }
    }

    /// Reads the token of a link: 32 and 64 digits of lower-case hexadecimal, and a dot between them.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (id, secret) = token.split_once('.')?;
        let is_hex = |text: &str, length| {
            let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            text.len() == length && text.bytes().all(digit)
        };
        if !is_hex(id, 32) || !is_hex(secret, 64) {
            return None;
        }
        Some(Self {
            id: u128::from_str_radix(id, 16).ok()?.to_be_bytes(),
            secret: Secret::new(secret),
        })
    }

    /// The token, for the mail and for the page's form.
    pub(crate) fn token(&self) -> String {
        format!("{}.{}", hex(self.id), self.secret.expose())
    }

    /// What is stored of it: worth nothing without the key, nor beside another verification.
    fn digest(&self, app: &App) -> [u8; 32] {
        let keys = &app.options.master_keys;
        keys.digest("verification link", &[&hex(self.id), self.secret.expose()])
    }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Who writes the mails: the service, by the host that people know it by.
pub(super) fn words(app: &App) -> MailWords {
    let url = &app.options.public_url;
    let host = url.split_once("://").map_or(&url[..], |(_, rest)| rest);
    MailWords::new(host.split('/').next().unwrap_or_default())
}

/// Sends a link to the address that `user` wants, if the limits let it through.
pub(crate) async fn ask(
    app: &App,
    asked: &Asked,
    user: &User,
    email: &Email,
) -> Result<(), Failure> {
    if is_own(user, email) {
        return Err(Refusal::SameEmail.into());
    }
    let sender = app.mail.clone().ok_or(SendError::NotConfigured)?;
    let now = app.clock.now();
    let (id, keys) = (random_bytes(), &app.options.master_keys);
    let link = Link::random(id);
    let message = new_send(app, asked, Channel::Mail, email.as_str(), now);
    let new = NewVerification {
        id,
        purpose: Purpose::NewEmail,
        contact_digest: message.contact_digest,
        contact: Some(contacts::seal(keys, &id, email.as_str())),
        asker: asked.asker.clone(),
        code_digest: link.digest(app),
        consent: None,
        expires_at: now + LINK_TTL,
    };
    let address = format!("{}{PATH}?token={}", app.options.public_url, link.token());
    let valid = Duration::from_millis(LINK_TTL.unsigned_abs());
    let mail = words(app).confirmation(email, &address, valid, &hex(message.id));
    let sending = async move { sender.send(&mail).await };
    let sent = hand_over(app, message, asked.former.clone(), (new, sending)).await?;
    tracing::info!(to = email.masked(), sent = sent.is_ok(), "link");
    sent.map_err(|error| match error {
        SendError::Refused {
            kind: RefusedKind::BadNumber,
            ..
        } => Refusal::Invalid(menjin_core::Input("email")).into(),
        error => error.into(),
    })
}

fn is_own(user: &User, email: &Email) -> bool {
    Email::parse(&user.email).is_ok_and(|own| own == *email)
}

/// The address that a link is about. Changes nothing.
pub(crate) async fn look(app: &App, link: &Link) -> Result<Email, Failure> {
    let (_, email) = find(app, link).await?;
    Ok(email)
}

async fn find(app: &App, link: &Link) -> Result<(Verification, Email), Failure> {
    let (id, now) = (link.id, app.clock.now());
    let found = app.store.read(move |tx| {
        Box::pin(async move {
            let found = tx.verification_find(Purpose::NewEmail, &id, now).await;
            Ok::<_, Failure>(found?)
        })
    });
    let found = found.await?;
    let found = found.filter(|found| same(&link.digest(app), &found.code_digest));
    let found = found.ok_or(BAD_LINK)?;
    let sealed = found.contact.as_deref().unwrap_or_default();
    let email = contacts::open(&app.options.master_keys, &found.id, sealed);
    let email = email.and_then(|email| Email::parse(&email).ok());
    Ok((found, email.ok_or(BAD_LINK)?))
}

/// Spends a link: its address is from now on that of whoever asked for it.
pub(crate) async fn confirm(app: &App, link: &Link) -> Result<Email, Failure> {
    let (verification, email) = find(app, link).await?;
    let uid = Uid::parse(&verification.asker).ok_or(BAD_LINK)?;
    let keys = &app.options.master_keys;
    let turn = keys.digest("turn", &[&verification.asker]);
    let (with, now) = (app.clone(), app.clock.now());
    let change = Change { uid, email, now };
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.turn_take(&turn, now).await?;
            if !tx.verification_spend(&verification.id, now).await? {
                return Err(BAD_LINK.into());
            }
            change.tell(&with, tx).await?;
            Ok::<_, Failure>(change.email)
        })
    });
    let email = story.await?;
    tracing::info!(%uid, "email changed");
    Ok(email)
}

/// An address that was proved to be somebody's.
struct Change {
    uid: Uid,
    email: Email,
    now: Instant,
}

impl Change {
    async fn tell(&self, app: &App, tx: &mut Tx) -> Result<(), Failure> {
        let before = tx.user_lock(self.uid, self.now).await?.ok_or(BAD_LINK)?;
        before.admit()?;
        if is_own(&before, &self.email) {
            return Ok(());
        }
        let address = self.email.as_str();
        tx.user_change_email(self.uid, address, self.now).await?;
        let uid = self.uid.to_string();
        let entry = Entry {
            event: "email_changed",
            actor: &uid,
            subject: &uid,
            detail: "{}",
        };
        tx.audit(&entry, self.now).await?;
        let Ok(to) = Email::parse(&before.email) else {
            return Ok(());
        };
        let notice = MailNotice::MailChanged;
        errands::add(app, tx, &Errand::NoticeMail { to, notice }, self.now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves PRF-4, of bits: 256 of them, and no two links have the same.
    #[test]
    fn a_link_has_one_spelling() {
        let (id, other) = (random_bytes(), Link::random([0; 16]));
        let link = Link::random(id);
        let token = link.token();
        assert_eq!(token.len(), 32 + 1 + 64);
        assert_ne!(link.secret.expose(), other.secret.expose());
        let read = Link::parse(&token).unwrap();
        assert_eq!((read.id, read.token()), (id, token.clone()));
        for odd in [
            String::new(),
            ".".to_owned(),
            token.to_uppercase() + "F",
            format!("{token}0"),
            format!(" {token}"),
            token.replace('.', ""),
            format!("+{}", &token[1..]),
            token.replace('.', ".-").split_at(97).0.to_owned(),
        ] {
            assert!(Link::parse(&odd).is_none(), "{odd}");
        }
    }
}
