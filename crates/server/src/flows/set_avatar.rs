//! Showing a picture that was uploaded: it lies in its place before the story that shows it.

use bytes::Bytes;
use menjin_core::{Refusal, Uid};
use menjin_store::{Entry, Tx};

use super::errands::{self, Errand};
use crate::{
    app::App,
    avatars::{self, Place},
    failure::Failure,
};

/// Remakes a file, and shows it as the picture of an account; its address. What has begun is ended
/// also when the caller leaves.
pub(crate) async fn set_avatar(
    app: &App,
    uid: Uid,
    place: Place,
    file: Vec<u8>,
) -> Result<String, Failure> {
    let jpeg = Bytes::from(app.workshop.remake(place, file).await?);
    let app = app.clone();
    let tracker = app.tracker.clone();
    let shown = tracker.spawn(async move { show(&app, uid, jpeg).await });
    shown.await.map_err(Failure::broken)?
}

async fn show(app: &App, uid: Uid, jpeg: Bytes) -> Result<String, Failure> {
    let name = avatars::name(&app.options.master_keys, &jpeg);
    avatars::put(app, &name, &jpeg).await?;
    let url = avatars::url(app, &name);
    if let Err(failure) = tell(app, uid, url.clone()).await {
        // Nobody shows it, unless somebody else does.
        if let Err(failure) = avatars::erase(app, &name).await {
            tracing::warn!(%failure, "a picture that nobody shows could not be erased");
        }
        return Err(failure);
    }
    avatars::keep(app, &name, &jpeg).await?;
    tracing::info!(%uid, "another picture");
    Ok(url)
}

async fn tell(app: &App, uid: Uid, url: String) -> Result<(), Failure> {
    let (here, now) = (app.clone(), app.clock.now());
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let user = tx.user_lock(uid, now).await?;
            let mut user = user.ok_or(Refusal::TokenInvalid)?;
            if user.avatar == url {
                return Ok(());
            }
            let former = std::mem::replace(&mut user.avatar, url);
            tx.user_set_profile(&user, now).await?;
            drop_picture(&here, tx, &former).await?;
            let entry = Entry {
                event: "avatar_changed",
                actor: &uid.to_string(),
                subject: &uid.to_string(),
                detail: "{}",
            };
            Ok::<_, Failure>(tx.audit(&entry, now).await?)
        })
    });
    story.await
}

/// Has the picture that an account no longer shows erased, if it is one of ours. Whether somebody else
/// shows it is looked at then.
pub(crate) async fn drop_picture(app: &App, tx: &mut Tx, former: &str) -> Result<(), Failure> {
    let Some(name) = avatars::name_in(app, former) else {
        return Ok(());
    };
    let name = name.to_owned();
    errands::add(app, tx, &Errand::ErasePicture { name }, app.clock.now()).await
}
