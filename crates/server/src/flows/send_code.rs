//! A code to a phone number: counted first, sent once, and worth nothing unless it was sent.

use std::net::IpAddr;

use menjin_core::{
    Phone, Refusal,
    clock::Instant,
    identity::random_bytes,
    sending::{Lately, TooOften},
    verification::{CODE_TTL, Code, Purpose},
};
use menjin_messages::{Receipt, SendError, Sms, SmsKind};
use menjin_store::{Channel, NewSend, NewVerification, Tx};

use super::contacts;
use crate::{app::App, failure::Failure, limit::network};

const HOUR: Instant = 3_600_000;

/// Somebody wants a message to go out.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Who: an identity's id, or a uid.
    pub(crate) asker: String,
    /// Under what their messages are counted if they deleted themselves lately ([`contacts::former`]).
    pub(crate) former: Option<String>,
    /// From where.
    pub(crate) address: IpAddr,
    /// What for.
    pub(crate) purpose: Purpose,
    /// The version of the privacy policy that the person agreed to with this request.
    pub(crate) consent: Option<String>,
}

/// Sends a code for `asked.purpose` to `phone`, if the limits let it through.
pub(crate) async fn send_code(app: &App, asked: &Asked, phone: &Phone) -> Result<(), Failure> {
    let sender = app.sms.clone().ok_or(SendError::NotConfigured)?;
    let code = Code::random();
    let now = app.clock.now();
    let message = new_send(app, asked, Channel::Sms, phone.as_str(), now);
    let id: [u8; 16] = random_bytes();
    let keys = &app.options.master_keys;
    let new = NewVerification {
        id,
        purpose: asked.purpose,
        contact_digest: message.contact_digest,
        contact: (asked.purpose == Purpose::NewPhone)
            .then(|| contacts::seal(keys, &id, phone.as_str())),
        asker: asked.asker.clone(),
        code_digest: code_digest(app, &id, &code),
        consent: asked.consent.clone(),
        expires_at: now + CODE_TTL,
    };
    let sms = Sms {
        to: phone.clone(),
        kind: SmsKind::Code {
            code,
            minutes: u32::try_from(CODE_TTL / 60_000).unwrap_or(5),
            purpose: asked.purpose,
        },
        request_id: format!("{:032x}", u128::from_be_bytes(message.id)),
    };
    let sending = async move { sender.send(&sms).await };
    let sent = hand_over(app, message, asked.former.clone(), (new, sending)).await?;
    tracing::info!(
        to = phone.masked(),
        purpose = asked.purpose.as_str(),
        sent = sent.is_ok(),
        "code"
    );
    sent.map_err(Failure::from)
}

/// Counts a message, hands it over, and opens the verification that it carries once it has gone out: a
/// message that fails leaves the code that went before it as it was.
///
/// In a task of its own: a caller who hangs up must not leave a message that was sent uncounted, nor one
/// that was not sent counted.
pub(crate) async fn hand_over(
    app: &App,
    message: NewSend,
    former: Option<String>,
    (new, sending): (
        NewVerification,
        impl Future<Output = Result<Receipt, SendError>> + Send + 'static,
    ),
) -> Result<Result<(), SendError>, Failure> {
    let tracked = app.clone();
    let task = app.tracker.spawn(async move {
        let id = message.id;
        reserve(&tracked, message, former).await?;
        let sent = sending.await;
        settle(&tracked, id, new, &sent).await?;
        Ok(sent.map(drop))
    });
    task.await.map_err(Failure::broken)?
}

/// The message as it is counted.
pub(crate) fn new_send(
    app: &App,
    asked: &Asked,
    channel: Channel,
    contact: &str,
    now: Instant,
) -> NewSend {
    NewSend {
        id: random_bytes(),
        channel,
        purpose: asked.purpose.as_str(),
        contact_digest: contacts::digest(&app.options.master_keys, contact),
        asker: asked.asker.clone(),
        address: network(asked.address).to_string(),
        now,
    }
}

/// Counts a message, unless that would be one too many. Everybody who counts waits for everybody else: what
/// is counted is worth money. Whoever is over a limit by what is there already does not wait.
pub(crate) async fn reserve(
    app: &App,
    send: NewSend,
    former: Option<String>,
) -> Result<(), Failure> {
    let limits = app.options.registration.limits;
    let turn = app.options.master_keys.digest("turn", &["sends"]);
    let (looked_at, of) = (send.clone(), former.clone());
    let look = app
        .store
        .read(move |tx| Box::pin(async move { lately(tx, &looked_at, of.as_deref()).await }));
    let seen = look.await?;
    limits
        .check(&seen, &send.contact_digest, send.now)
        .map_err(too_often)?;
    let _place = app.queue.enter().await?;
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.turn_take(&turn, send.now).await?;
            let lately = lately(tx, &send, former.as_deref()).await?;
            if let Err(often) = limits.check(&lately, &send.contact_digest, send.now) {
                return Ok(Err(often));
            }
            tx.send_add(&send).await?;
            Ok::<_, Failure>(Ok(()))
        })
    });
    story.await?.map_err(too_often)
}

fn too_often(TooOften { retry_after, alarm }: TooOften) -> Failure {
    if alarm {
        tracing::error!("the budget of messages for this minute is used up");
    } else {
        tracing::warn!("a limit of messages was hit");
    }
    Refusal::TooManyRequests { retry_after }.into()
}

async fn lately(tx: &mut Tx, send: &NewSend, former: Option<&str>) -> Result<Lately, Failure> {
    let (hour, day) = (send.now - HOUR, send.now - 24 * HOUR);
    let minute = send.now - HOUR / 60;
    let to_contact = match send.channel {
        // Nothing goes to the number, so its own limits are not touched.
        Channel::None => Vec::new(),
        channel => {
            tx.send_to_contact(channel, &send.contact_digest, day)
                .await?
        }
    };
    let mut by_asker = tx.send_by_asker(&send.asker, day).await?;
    if let Some(former) = former {
        by_asker.extend(tx.send_by_asker(former, day).await?);
        by_asker.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
    }
    Ok(Lately {
        to_contact,
        by_asker,
        from_address: tx.send_from_address(&send.address, hour).await?,
        in_all: tx.send_in_all(minute).await?,
    })
}

/// Writes down what became of a message: its code counts from now on, or the message counts for nothing, so
/// that the person may try at once; even where nobody knows whether it was sent.
async fn settle(
    app: &App,
    send_id: [u8; 16],
    new: NewVerification,
    sent: &Result<Receipt, SendError>,
) -> Result<(), Failure> {
    let sent = sent.clone().map_err(drop);
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let Ok(receipt) = sent else {
                return Ok(tx.send_take_back(&send_id).await?);
            };
            let cost = receipt.cost.map(i64::from);
            tx.send_settle(&send_id, receipt.provider_id.as_deref(), cost)
                .await?;
            Ok::<_, Failure>(tx.verification_open(&new).await?)
        })
    });
    story.await
}

/// What is stored of a code: worth nothing without the key, nor beside another verification.
pub(crate) fn code_digest(app: &App, id: &[u8; 16], code: &Code) -> [u8; 32] {
    let id = format!("{:032x}", u128::from_be_bytes(*id));
    app.options
        .master_keys
        .digest("verification code", &[&id, code.expose()])
}
