//! What must follow a story and goes outside: notices to whoever should know, pictures to erase.
//!
//! The story that makes it necessary writes the errand down, sealed, so that it happens if and only if
//! the story did, and survives a restart. One worker a process does what is due, outside of any story:
//! it takes an errand for a while, does it, and deletes it. What fails is tried again later, up to
//! [`MOST`] times, unless trying again can change nothing.

use std::time::Duration;

use menjin_core::{Email, Phone, clock::Instant, identity::random_bytes};
use menjin_messages::{NoticeKind, RefusedKind, SendError, Sms, SmsKind};
use menjin_store::Tx;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::change_email;
use crate::{app::App, avatars, failure::Failure};

/// How many errands are done before the others of the second have their turn.
const AT_ONCE: usize = 20;
const MINUTE: Instant = 60_000;
/// An errand that was taken is nobody else's for this long.
const LEASE: Instant = 2 * MINUTE;
/// The longest that one may take; well within [`LEASE`].
const LONGEST: Duration = Duration::from_secs(15);
/// How often one is tried.
const MOST: i64 = 5;
/// How long it rests after each failure.
const RESTS: [Instant; 4] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE];

/// Something to do outside, once the story that asks for it has ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Tell a number what has happened.
    NoticeSms {
        /// Whom.
        to: Phone,
        /// What.
        notice: NoticeKind,
    },
    /// Tell an address what has happened.
    NoticeMail {
        /// Whom.
        to: Email,
        /// What.
        notice: MailNotice,
    },
    /// Erase a picture that nobody shows any more.
    ErasePicture {
        /// As [`crate::avatars`] calls it.
        name: String,
    },
}

/// What somebody is told by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailNotice {
    /// The account has another phone number.
    PhoneChanged,
    /// The account has another mail address; the former one hears of it.
    MailChanged,
}

impl MailNotice {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PhoneChanged => "phone_changed",
            Self::MailChanged => "mail_changed",
        }
    }
}

impl Errand {
    /// The kind as it is stored.
    const fn kind(&self) -> &'static str {
        match self {
            Self::NoticeSms { .. } => "notice_sms",
            Self::NoticeMail { .. } => "notice_mail",
            Self::ErasePicture { .. } => "erase_picture",
        }
    }

    /// The rest as it is stored, before it is sealed.
    fn content(&self) -> Value {
        match self {
            Self::NoticeSms { to, notice } => {
                json!({ "to": to.as_str(), "notice": notice.as_str() })
            }
            Self::NoticeMail { to, notice } => {
                json!({ "to": to.as_str(), "notice": notice.as_str() })
            }
            Self::ErasePicture { name } => json!({ "name": name }),
        }
    }

    /// Reads what [`Errand::kind`] and [`Errand::content`] wrote; `None` for anything else.
    fn read(kind: &str, content: &[u8]) -> Option<Self> {
        let content: Value = serde_json::from_slice(content).ok()?;
        let text = |name: &str| content.get(name).and_then(Value::as_str);
        let notice = text("notice");
        match kind {
            "notice_sms" => Some(Self::NoticeSms {
                to: Phone::stored(text("to")?)?,
                notice: [NoticeKind::PhoneChanged]
                    .into_iter()
                    .find(|known| notice == Some(known.as_str()))?,
            }),
            "notice_mail" => Some(Self::NoticeMail {
                to: Email::parse(text("to")?).ok()?,
                notice: [MailNotice::PhoneChanged, MailNotice::MailChanged]
                    .into_iter()
                    .find(|known| notice == Some(known.as_str()))?,
            }),
            "erase_picture" => Some(Self::ErasePicture {
                name: text("name")?.to_owned(),
            }),
            _ => None,
        }
    }
}

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
enum Undone {
    #[error(transparent)]
    Unsent(#[from] SendError),
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("it took too long")]
    TooLong,
    /// Another version wrote it, or a master key is not here.
    #[error("it cannot be read here")]
    Unreadable,
}

impl Undone {
    /// Whether it is not tried again: since that can change nothing, or since a text message may have gone
    /// out, which nobody is to get twice and somebody pays for.
    fn is_final(&self, kind: &str) -> bool {
        let unclear = !matches!(self, Self::Unsent(SendError::Refused { .. }));
        let read = !matches!(self, Self::Unreadable);
        if kind == "notice_sms" && unclear && read {
            return true;
        }
        matches!(
            self,
            Self::Unsent(
                SendError::NotConfigured
                    | SendError::Refused {
                        kind: RefusedKind::BadNumber,
                        ..
                    }
            )
        )
    }
}

/// Writes an errand down as part of a story. It is due at once.
pub(crate) async fn add(
    app: &App,
    tx: &mut Tx,
    errand: &Errand,
    now: Instant,
) -> Result<(), Failure> {
    let id = random_bytes();
    let content = errand.content().to_string();
    let keys = &app.options.master_keys;
    let sealed = keys.seal(&place(&id), content.as_bytes());
    Ok(tx.errand_add(&id, errand.kind(), &sealed, now).await?)
}

/// Does what is due, [`AT_ONCE`] at most, one after the other. Does nothing while another worker of this
/// process is at it, or once the process is to end.
pub(crate) async fn work(app: &App) -> Result<(), Failure> {
    let Ok(_alone) = app.errands.try_lock() else {
        return Ok(());
    };
    for _ in 0..AT_ONCE {
        if app.is_draining() {
            break;
        }
        let Some(row) = take(app).await? else {
            break;
        };
        attend_to(app, row).await?;
    }
    Ok(())
}

async fn take(app: &App) -> Result<Option<menjin_store::Errand>, Failure> {
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.errand_take(now, now + LEASE).await?) })
    });
    story.await
}

async fn attend_to(app: &App, row: menjin_store::Errand) -> Result<(), Failure> {
    let (id, kind, tries) = (row.id, row.kind.clone(), row.tries);
    let again_in = match carry_out(app, row).await {
        Ok(()) => None,
        Err(undone) => {
            let again_in = rest(tries).filter(|_| !undone.is_final(&kind));
            let error = &undone as &(dyn std::error::Error + 'static);
            let again = again_in.is_some();
            tracing::warn!(kind, tries, again, error, "an errand was not done");
            again_in
        }
    };
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            match again_in {
                Some(rest) => tx.errand_put_off(&id, now + rest).await?,
                None => tx.errand_done(&id).await?,
            }
            Ok::<_, Failure>(())
        })
    });
    story.await
}

/// How long an errand rests that has failed so often; `None` if that was often enough.
fn rest(tries: i64) -> Option<Instant> {
    let failed = usize::try_from(tries).ok()?;
    RESTS.get(failed.saturating_sub(1)).copied()
}

async fn carry_out(app: &App, row: menjin_store::Errand) -> Result<(), Undone> {
    if row.tries > MOST {
        // It was taken as often as may be, and nobody lived to say what became of it.
        return Err(Undone::TooLong);
    }
    let plain = app
        .options
        .master_keys
        .open(&place(&row.id), &row.content)
        .map_err(|_| Undone::Unreadable)?;
    let errand = Errand::read(&row.kind, &plain).ok_or(Undone::Unreadable)?;
    // The same at every try: a receiver that knows it need not tell anybody twice.
    let request_id = format!("{:032x}", u128::from_be_bytes(row.id));
    let doing = timeout(LONGEST, run(app, errand, request_id));
    doing.await.map_err(|_| Undone::TooLong)?
}

async fn run(app: &App, errand: Errand, request_id: String) -> Result<(), Undone> {
    match errand {
        Errand::NoticeSms { to, notice } => {
            let sender = app.sms.as_ref().ok_or(SendError::NotConfigured)?;
            let sms = Sms {
                to,
                kind: SmsKind::Notice { kind: notice },
                request_id,
            };
            sender.send(&sms).await?;
        }
        Errand::NoticeMail { to, notice } => {
            let sender = app.mail.as_ref().ok_or(SendError::NotConfigured)?;
            let words = change_email::words(app);
            let mail = match notice {
                MailNotice::PhoneChanged => words.phone_changed(&to, &request_id),
                MailNotice::MailChanged => words.mail_changed(&to, &request_id),
            };
            sender.send(&mail).await?;
        }
        Errand::ErasePicture { name } => avatars::erase(app, &name).await?,
    }
    Ok(())
}

fn place(id: &[u8; 16]) -> String {
    format!("errands/content/{:032x}", u128::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_read_as_it_was_written() {
        let phone = || Phone::stored("+8613800138000").unwrap();
        let email = || Email::parse("wang@example.com").unwrap();
        for errand in [
            Errand::NoticeSms {
                to: phone(),
                notice: NoticeKind::PhoneChanged,
            },
            Errand::NoticeMail {
                to: email(),
                notice: MailNotice::PhoneChanged,
            },
            Errand::NoticeMail {
                to: email(),
                notice: MailNotice::MailChanged,
            },
            Errand::ErasePicture {
                name: "0123456789abcdef.jpg".to_owned(),
            },
        ] {
            let content = errand.content().to_string();
            let read = Errand::read(errand.kind(), content.as_bytes());
            assert_eq!(read.as_ref(), Some(&errand));
            assert!(!format!("{errand:?}").contains("13800138000"));
            assert_eq!(Errand::read("another", content.as_bytes()), None);
            assert_eq!(Errand::read(errand.kind(), b"{}"), None);
        }
        let odd = br#"{"to":"+8613800138000","notice":"another"}"#;
        assert_eq!(Errand::read("notice_sms", odd), None);
    }

    #[test]
    fn rests_grow_and_end() {
        let rests: Vec<_> = (1..=MOST + 1).map(rest).collect();
        let (some, none) = rests.split_at(4);
        assert!(some.iter().all(Option::is_some) && some.is_sorted());
        assert_eq!(none, [None, None]);
    }

    #[test]
    fn some_failures_are_final() {
        let refused = |kind| {
            let code = "x".to_owned();
            Undone::Unsent(SendError::Refused { code, kind })
        };
        for kind in ["notice_sms", "notice_mail", "erase_picture"] {
            assert!(refused(RefusedKind::BadNumber).is_final(kind));
            assert!(Undone::Unsent(SendError::NotConfigured).is_final(kind));
            for refusal in [
                RefusedKind::TooOften,
                RefusedKind::Misconfigured,
                RefusedKind::Other,
            ] {
                assert!(!refused(refusal).is_final(kind), "{refusal:?}");
            }
            assert!(!Undone::Unreadable.is_final(kind));
            // A text message that may have gone out is not sent once more.
            let unclear = [Undone::Unsent(SendError::TimedOut), Undone::TooLong];
            for undone in unclear {
                assert_eq!(undone.is_final(kind), kind == "notice_sms");
            }
        }
    }
}
