//! Another number for an account: proved by a code to it or by WeChat's phone button, told to the
//! former one, and the end of every older token.

use std::sync::Arc;

use menjin_core::{
    Email, Phone, Refusal, User,
    clock::Instant,
    verification::{Code, Purpose},
};
use menjin_messages::NoticeKind;
use menjin_store::{Channel, Entry, Tx};
use menjin_wechat::PhoneCode;

use super::{
    check_code::check_code,
    contacts,
    errands::{self, Errand, MailNotice},
    register::{lost, phone_of},
    send_code::{Asked, new_send, reserve, send_code},
};
use crate::{app::App, bearer::Caller, failure::Failure, tokens::Known};

const BAD_CODE: Refusal = Refusal::WrongCode(Purpose::NewPhone);

/// Sends a code to the number that `user` wants.
pub(crate) async fn ask(
    app: &App,
    asked: &Asked,
    user: &User,
    phone: &Phone,
) -> Result<(), Failure> {
    let number = phone.clone();
    let found = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.user_find_by_phone(&number).await?) })
    });
    match found.await? {
        None => send_code(app, asked, phone).await,
        Some(owner) if owner.uid == user.uid => Err(Refusal::SamePhone.into()),
        Some(_) => {
            // Who asks about many numbers learns no more than who has codes sent to them.
            let send = new_send(app, asked, Channel::None, phone.as_str(), app.clock.now());
            reserve(app, send, asked.former.clone()).await?;
            Err(Refusal::PhoneInUse.into())
        }
    }
}

/// Takes the number that WeChat's phone button gave; the account as it is then.
pub(crate) async fn by_phone_button(
    app: &App,
    caller: &Caller,
    code: &PhoneCode,
) -> Result<User, Failure> {
    let phone = phone_of(app, caller.identity()?, code).await?;
    Change::new(app, caller, phone, None)?.settle(app).await
}

/// Spends the code that the caller had sent to the number they want; the account as it is then.
pub(crate) async fn by_code(app: &App, caller: &Caller, code: &Code) -> Result<User, Failure> {
    let asker = caller.user()?.uid.to_string();
    let of_asker = asker.clone();
    let open = app.store.read(move |tx| {
        Box::pin(async move {
            let found = tx.verification_contact(Purpose::NewPhone, &of_asker).await;
            Ok::<_, Failure>(found?)
        })
    });
    let digest = open.await?.ok_or(BAD_CODE)?;
    let checked = check_code(app, Purpose::NewPhone, digest, code, Some(&asker)).await?;
    let (id, sealed) = (checked.verification.id, checked.verification.contact);
    let keys = &app.options.master_keys;
    let phone = sealed.and_then(|sealed| contacts::open_phone(keys, &id, &sealed));
    let spends = Some((id, checked.guess));
    let change = Change::new(app, caller, phone.ok_or(BAD_CODE)?, spends)?;
    change.settle(app).await
}

/// A number that was proved to be the caller's.
#[derive(Clone)]
struct Change {
    /// The account, as the caller's token found it.
    user: User,
    /// The caller's token.
    claims: Arc<Known>,
    phone: Phone,
    digest: [u8; 32],
    /// The verification to spend and the try to take back; nothing where WeChat spent its own code.
    spends: Option<([u8; 16], [u8; 16])>,
    now: Instant,
}

impl Change {
    fn new(
        app: &App,
        caller: &Caller,
        phone: Phone,
        spends: Option<([u8; 16], [u8; 16])>,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            user: caller.user()?.clone(),
            claims: caller.claims.clone(),
            digest: contacts::digest(&app.options.master_keys, phone.as_str()),
            phone,
            spends,
            now: app.clock.now(),
        })
    }

    async fn settle(self, app: &App) -> Result<User, Failure> {
        let uid = self.user.uid;
        let keys = &app.options.master_keys;
        let turn = keys.digest("turn", &[&uid.to_string()]);
        let told = match self.clone().once(app, turn).await {
            // An import, which takes no turns, had just given the number to another account: it is seen now.
            Err(failure) if failure.is_duplicate() => self.once(app, turn).await,
            told => told,
        };
        let Some(user) = told? else {
            tracing::info!(%uid, "the new number belongs to another account");
            return Err(Refusal::PhoneInUse.into());
        };
        app.must_scrub.raise();
        tracing::info!(%uid, "phone changed");
        Ok(user)
    }

    async fn once(self, app: &App, turn: [u8; 32]) -> Result<Option<User>, Failure> {
        let with = app.clone();
        let story = app.store.write(move |tx| {
            Box::pin(async move {
                tx.turn_take(&turn, self.now).await?;
                tx.turn_take(&self.digest, self.now).await?;
                self.tell(&with, tx).await
            })
        });
        story.await
    }

    /// `None` if the number belongs to somebody: the code is spent then, as it was right.
    async fn tell(&self, app: &App, tx: &mut Tx) -> Result<Option<User>, Failure> {
        if let Some((id, guess)) = &self.spends {
            if !tx.verification_spend(id, self.now).await? {
                return Err(BAD_CODE.into());
            }
            tx.guess_take_back(guess).await?;
        }
        let before = tx.user_lock(self.user.uid, self.now).await?;
        let before = before.ok_or(Refusal::TokenInvalid)?;
        // Whatever ended the caller's token since it was looked at ends this as well.
        let revoked = tx.revocation_find(&self.claims.jti).await?;
        if before.admit().is_err() || before.epoch != self.user.epoch || revoked {
            return Err(Refusal::TokenInvalid.into());
        }
        if before.phone == self.phone.as_str() {
            return Err(Refusal::SamePhone.into());
        }
        let changed = tx.user_change_phone(before.uid, &self.phone, self.now);
        if changed.await?.is_none() {
            return Ok(None);
        }
        let uid = before.uid.to_string();
        let entry = Entry {
            event: "phone_changed",
            actor: &uid,
            subject: &uid,
            detail: "{}",
        };
        tx.audit(&entry, self.now).await?;
        // A link that somebody else asked for with a token that is dead now.
        tx.verification_forget_asker(&uid).await?;
        for errand in notices(&before) {
            errands::add(app, tx, &errand, self.now).await?;
        }
        let after = tx.user_find(before.uid).await?;
        after.ok_or_else(lost).map(Some)
    }
}

/// Who hears that the number of an account was changed: the former number, and the address if there is
/// one.
fn notices(before: &User) -> Vec<Errand> {
    let sms = Phone::stored(&before.phone).map(|to| Errand::NoticeSms {
        to,
        notice: NoticeKind::PhoneChanged,
    });
    let mail = Email::parse(&before.email).map(|to| Errand::NoticeMail {
        to,
        notice: MailNotice::PhoneChanged,
    });
    sms.into_iter().chain(mail).collect()
}
