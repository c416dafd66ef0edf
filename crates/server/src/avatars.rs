//! Pictures of people: what is made of an upload, where it lies, and what it is called.
//!
//! A name is a keyed digest of the picture and tells nothing. Two people who upload the same picture
//! share a file, so it goes only when nobody shows it any more.

mod jpeg;
mod picture;
mod place;
mod png;
mod reduce;
mod upload;
mod webp;
mod workshop;

use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use menjin_core::{MasterKeys, secret::sha256};

use picture::MAX_FILE;
use place::PlaceError;
pub use place::{Pictures, PicturesError, PicturesOptions};
pub(crate) use upload::file_of;
pub(crate) use workshop::{Place, Workshop};

use crate::{app::App, failure::Failure};

/// For whoever caches a picture: under its name there is never another.
pub(crate) const CACHED: &str = "public, max-age=31536000, immutable";
/// Hexadecimal digits of a name.
const DIGITS: usize = 32;
const ENDING: &str = ".jpg";

/// The store is asked again later.
impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

/// What a picture is called.
pub(crate) fn name(keys: &MasterKeys, jpeg: &[u8]) -> String {
    let digest = keys.digest("picture", &[&hex(&sha256(jpeg))]);
    let mut name = hex(&digest);
    name.truncate(DIGITS);
    name + ENDING
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether a text can be the name of a picture.
pub(crate) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_suffix(ENDING)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(legal))
}

/// The address under which everybody sees a picture.
pub(crate) fn url(app: &App, name: &str) -> String {
    match app.pictures.as_ref().and_then(Pictures::public_url) {
        Some(elsewhere) => format!("{elsewhere}/{name}"),
        None => here(app, name),
    }
}

fn here(app: &App, name: &str) -> String {
    format!("{}/avatars/{name}", app.options.public_url)
}

/// The name of the picture of ours that an address shows, whichever of our addresses it is.
pub(crate) fn name_in<'u>(app: &App, url: &'u str) -> Option<&'u str> {
    let own = format!("{}/avatars", app.options.public_url);
    let elsewhere = app.pictures.as_ref().and_then(Pictures::public_url);
    let bases = std::iter::once(own.as_str()).chain(elsewhere);
    let mut names = bases.filter_map(|base| url.strip_prefix(base)?.strip_prefix('/'));
    names.find(|name| is_name(name))
}

/// A picture; `None` if there is none of that name.
pub(crate) async fn find(app: &App, name: &str) -> Result<Option<Bytes>, Failure> {
    match &app.pictures {
        Some(pictures) if is_name(name) => Ok(pictures.get(name).await?),
        _ => Ok(None),
    }
}

/// How often a picture is put back that somebody took up while it was erased.
const PUTS: usize = 3;

/// Erases a picture that nobody shows any more; does nothing if somebody does.
///
/// Somebody may take it up again at any moment. Whoever does looks whether it is there after their
/// story ([`keep`]), and this looks whether it is shown after it went: one of the two sees the other.
pub(crate) async fn erase(app: &App, name: &str) -> Result<(), Failure> {
    let Some(pictures) = app.pictures.as_ref().filter(|_| is_name(name)) else {
        return Ok(());
    };
    if is_shown(app, name).await? {
        return Ok(());
    }
    let Some(jpeg) = pictures.get(name).await? else {
        return Ok(());
    };
    pictures.delete(name).await?;
    if !is_shown(app, name).await? {
        return Ok(());
    }
    // The next try would find nothing to put back, so this one does not give up at once.
    for _ in 0..PUTS - 1 {
        if pictures.put(name, jpeg.clone()).await.is_ok() {
            return Ok(());
        }
    }
    Ok(pictures.put(name, jpeg).await?)
}

/// Puts a picture there before a story that shows it.
pub(crate) async fn put(app: &App, name: &str, jpeg: &Bytes) -> Result<(), Failure> {
    if let Some(pictures) = &app.pictures {
        pictures.put(name, jpeg.clone()).await?;
    }
    Ok(())
}

/// After that story: puts the picture there again if somebody erased it meanwhile.
pub(crate) async fn keep(app: &App, name: &str, jpeg: &Bytes) -> Result<(), Failure> {
    if let Some(pictures) = &app.pictures
        && !pictures.has(name).await?
    {
        pictures.put(name, jpeg.clone()).await?;
    }
    Ok(())
}

async fn is_shown(app: &App, name: &str) -> Result<bool, Failure> {
    let urls = [here(app, name), url(app, name)];
    let story = app.store.read(move |tx| {
        Box::pin(async move {
            let mut shown = 0;
            for url in &urls {
                shown += tx.user_count_avatar(url).await?;
            }
            Ok::<_, Failure>(shown > 0)
        })
    });
    story.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_nothing_and_is_of_one_form() {
        let keys = |text| MasterKeys::parse([text]).unwrap();
        let one = keys("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=");
        let two = keys("dnV0c3JxcG9ubWxramloZ2ZlZGNiYTk4NzY1NDMyMTA=");
        let picture = name(&one, b"jpeg");
        assert_eq!(picture, name(&one, b"jpeg"));
        assert!(is_name(&picture), "{picture}");
        assert_ne!(picture, name(&two, b"jpeg"), "the key is part of it");
        assert_ne!(picture, name(&one, b"other"));
        for wrong in [
            "",
            ".jpg",
            "a.jpg",
            "../etc/passwd",
            &picture.to_uppercase(),
            &picture[1..],
        ] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
