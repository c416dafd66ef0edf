//! The signing keys: loaded, made, rotated, removed. `core::keyring` decides, this carries it out.

use menjin_core::{
    MasterKeys,
    clock::Instant,
    key::{BadKey, SigningAlgorithm, SigningKey},
    keyring::{KeyTimes, Keyring, Rotation, Step},
    secret::Unopenable,
};
use menjin_store::{Entry, KeyRow, Store, Tx};

use crate::{app::App, failure::Failure};

/// Loads the keys if they changed, and does what is due.
pub(crate) async fn refresh(app: &App) -> Result<(), Failure> {
    let (now, rotation) = (app.clock.now(), app.options.rotation);
    let mut rows = all(&app.store).await?;
    if is_due(&rows, &rotation, &app.options.master_keys, now) {
        let keys = app.options.master_keys.clone();
        rows = settle(&app.store, keys, rotation, now).await?;
    }
    let loaded = app.tokens.keyring();
    let live = || rows.iter().filter(|row| row.removed_at.is_none());
    if !loaded.is_made_of(live().map(|row| (row.kid.as_str(), row.signs_from))) {
        let keys = live().map(|row| open(row, &app.options.master_keys));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let keyring = Keyring::new(keys).map_err(Failure::broken)?;
        tracing::info!(keys = rows.len(), "signing keys loaded");
        app.tokens.replace_keyring(keyring);
    }
    Ok(())
}

/// Every key, oldest first.
///
/// # Errors
///
/// The store's.
pub async fn all(store: &Store) -> Result<Vec<KeyRow>, Failure> {
    let rows = store.read(|tx| Box::pin(async move { Ok::<_, Failure>(tx.key_all().await?) }));
    rows.await
}

/// Makes the first keys, if there are none, and does whatever else is due; all keys after that.
///
/// # Errors
///
/// The store's; a key that cannot be made.
pub async fn settle(
    store: &Store,
    master_keys: MasterKeys,
    rotation: Rotation,
    now: Instant,
) -> Result<Vec<KeyRow>, Failure> {
    let told = store.write(move |tx| {
        Box::pin(async move {
            reseal(tx, &master_keys).await?;
            carry_out(tx, &master_keys, &rotation, now).await
        })
    });
    told.await
}

/// Lets the next key sign as soon as everybody can know it; the rows after that. `None` if there is
/// no next key, which [`settle`] mends.
///
/// # Errors
///
/// The store's; a key that cannot be made.
pub async fn rotate(
    store: &Store,
    master_keys: MasterKeys,
    rotation: Rotation,
    now: Instant,
) -> Result<Option<Vec<KeyRow>>, Failure> {
    let told = store.write(move |tx| {
        Box::pin(async move {
            carry_out(tx, &master_keys, &rotation, now).await?;
            let rows = tx.key_all().await?;
            let Some(step) = rotation.rotate(&times(&rows), now) else {
                return Ok(None);
            };
            take(tx, &master_keys, &rotation, step, now).await?;
            let detail = format!("{step:?}");
            audit(tx, "key_rotated", &detail, now).await?;
            carry_out(tx, &master_keys, &rotation, now).await.map(Some)
        })
    });
    told.await
}

/// Takes a key away: what it signed is refused everywhere within seconds. The rows after that, or
/// `None` if there is no such key.
///
/// # Errors
///
/// The store's; a key that cannot be made.
pub async fn remove(
    store: &Store,
    master_keys: MasterKeys,
    rotation: Rotation,
    kid: String,
    now: Instant,
) -> Result<Option<Vec<KeyRow>>, Failure> {
    let told = store.write(move |tx| {
        Box::pin(async move {
            if !tx.key_remove(&kid, now).await? {
                return Ok(None);
            }
            audit(tx, "key_removed", &kid, now).await?;
            carry_out(tx, &master_keys, &rotation, now).await.map(Some)
        })
    });
    told.await
}

async fn audit(tx: &mut Tx, event: &str, subject: &str, now: Instant) -> Result<(), Failure> {
    let entry = Entry {
        event,
        actor: "operator",
        subject,
        detail: "{}",
    };
    Ok(tx.audit(&entry, now).await?)
}

fn is_due(rows: &[KeyRow], rotation: &Rotation, keys: &MasterKeys, now: Instant) -> bool {
    !rotation.plan(&times(rows), now).is_empty() || rows.iter().any(|row| is_stale(row, keys))
}

/// Whether a row waits to be sealed under the first master key.
fn is_stale(row: &KeyRow, keys: &MasterKeys) -> bool {
    row.removed_at.is_none() && !keys.is_current(&row.private_key)
}

/// A plan's steps can make another step due (a key that signs at once needs a next one), so it is
/// asked again; three rounds settle whatever there is.
async fn carry_out(
    tx: &mut Tx,
    master_keys: &MasterKeys,
    rotation: &Rotation,
    now: Instant,
) -> Result<Vec<KeyRow>, Failure> {
    for _ in 0..3 {
        let steps = rotation.plan(&times(&tx.key_all().await?), now);
        if steps.is_empty() {
            break;
        }
        for step in steps {
            take(tx, master_keys, rotation, step, now).await?;
        }
    }
    Ok(tx.key_all().await?)
}

async fn take(
    tx: &mut Tx,
    master_keys: &MasterKeys,
    rotation: &Rotation,
    step: Step,
    now: Instant,
) -> Result<(), Failure> {
    tracing::info!(?step, "signing keys");
    match step {
        Step::Create { number, signs_from } => {
            let row = fresh(master_keys, rotation.algorithm, number, now);
            let row = KeyRow {
                signs_from,
                ..row.map_err(Failure::broken)?
            };
            // Another replica may have made the same one; one of them stays.
            tx.key_insert(&row).await?;
        }
        Step::Schedule { number, signs_from } => {
            tx.key_schedule(number, signs_from).await?;
        }
        Step::Delete { number } => {
            tx.key_delete(number).await?;
        }
    }
    Ok(())
}

fn fresh(
    master_keys: &MasterKeys,
    algorithm: SigningAlgorithm,
    number: i64,
    now: Instant,
) -> Result<KeyRow, BadKey> {
    let pkcs8 = SigningKey::generate(algorithm)?;
    let key = SigningKey::from_pkcs8(algorithm, &pkcs8)?;
    Ok(KeyRow {
        number,
        kid: key.kid().to_owned(),
        algorithm: algorithm.algorithm().as_str().to_owned(),
        public_jwk: serde_json::Value::Object(key.public_jwk()).to_string(),
        private_key: master_keys.seal(&place(key.kid()), &pkcs8),
        created_at: now,
        signs_from: now,
        removed_at: None,
    })
}

/// Seals under the first master key whatever another one sealed, so that the other can be retired.
async fn reseal(tx: &mut Tx, master_keys: &MasterKeys) -> Result<(), Failure> {
    for row in tx.key_all().await? {
        if is_stale(&row, master_keys) {
            let place = place(&row.kid);
            let plain = master_keys.open(&place, &row.private_key);
            let plain = plain.map_err(|Unopenable| unusable(&row))?;
            tx.key_reseal(row.number, &master_keys.seal(&place, &plain))
                .await?;
            tracing::info!(kid = row.kid, "sealed anew under the first master key");
        }
    }
    Ok(())
}

fn open(row: &KeyRow, master_keys: &MasterKeys) -> Result<(SigningKey, Instant), Failure> {
    let usable = || {
        let algorithm = SigningAlgorithm::parse(&row.algorithm)?;
        let pkcs8 = master_keys.open(&place(&row.kid), &row.private_key).ok()?;
        let key = SigningKey::from_pkcs8(algorithm, &pkcs8).ok()?;
        (key.kid() == row.kid).then_some((key, row.signs_from))
    };
    usable().ok_or_else(|| unusable(row))
}

fn place(kid: &str) -> String {
    format!("signing_keys/private_key/{kid}")
}

fn times(rows: &[KeyRow]) -> Vec<KeyTimes> {
    let times = rows.iter().map(|row| KeyTimes {
        number: row.number,
        algorithm: SigningAlgorithm::parse(&row.algorithm),
        created_at: row.created_at,
        signs_from: row.signs_from,
        removed_at: row.removed_at,
    });
    times.collect()
}

/// A signing key cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "signing key {kid} cannot be opened: it was sealed under a master key that is not among \
     secrets.master_keys, or it is damaged. Put the former master key back at the end of the list, \
     or remove the key with `menjin key remove {kid}`"
)]
struct Unusable {
    kid: String,
}

fn unusable(row: &KeyRow) -> Failure {
    Failure::broken(Unusable {
        kid: row.kid.clone(),
    })
}
