//! `[avatars]`: where pictures lie.

use std::path::{Path, absolute};

use menjin_core::Secret;
use menjin_server::PicturesOptions;
use reqwest::Url;

use super::{
    reader::Reader,
    secrets::{self, Wanted},
    text,
};

const KEY: Wanted = Wanted {
    from: "the key that the store's console shows",
    least: 8,
    blanks: false,
};

/// What a location begins with if it is a bucket.
const BUCKET: &str = "s3://";

/// Reads the section; `store_url` tells the folder that is the default. `None`: nowhere.
pub(super) fn read(reader: &mut Reader<'_>, store_url: Option<&Secret>) -> Option<PicturesOptions> {
    let given = reader.unless_empty("avatars.location", location);
    let in_bucket = given
        .as_deref()
        .and_then(|given| given.strip_prefix(BUCKET));
    let endpoint = reader.unless_empty("avatars.endpoint", text::called_url);
    let virtual_host = reader.switch("avatars.virtual_host", true);
    let options = PicturesOptions {
        region: reader.unless_empty("avatars.region", text::word),
        access_key: reader.unless_empty("avatars.access_key", text::word),
        secret_key: secrets::one(reader, "avatars.secret_key", KEY, in_bucket.is_some()),
        virtual_host,
        public_url: reader.unless_empty("avatars.public_url", text::public_url),
        endpoint,
        location: String::new(),
    };
    match in_bucket {
        Some(path) => bucket(reader, path, &options),
        None => folder(reader),
    }
    let location = given.or_else(|| store_url.and_then(beside))?;
    Some(PicturesOptions {
        location,
        ..options
    })
}

/// What belongs to a bucket.
fn bucket(reader: &mut Reader<'_>, path: &str, options: &PicturesOptions) {
    if !reader.is_filled("avatars.access_key") {
        let wrong = "is missing: set it to the name of the key that opens the bucket";
        reader.refuse("avatars.access_key", wrong);
    }
    let name = path.split('/').next().unwrap_or(path);
    let host = options.endpoint.as_deref().and_then(host_of);
    let named = host.is_some_and(|host| host.starts_with(&format!("{name}.")));
    if options.endpoint.is_some() && options.virtual_host != named {
        let wrong = if named {
            "names the bucket, and avatars.virtual_host is false: take the name away, or set that \
             to true"
        } else {
            "has to begin with the bucket's name, as in https://bucket.cos.ap-guangzhou.myqcloud.com, \
             or avatars.virtual_host has to be false"
        };
        reader.refuse("avatars.endpoint", wrong);
    }
}

/// What does not belong to a folder.
fn folder(reader: &mut Reader<'_>) {
    for key in ["avatars.endpoint", "avatars.access_key"] {
        if reader.is_filled(key) {
            let wrong = "is for a bucket, and avatars.location names none: set that to s3://bucket";
            reader.refuse(key, wrong);
        }
    }
}

fn host_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.to_owned())
}

fn location(text: &str) -> Result<String, &'static str> {
    let wrong = "has to be file:///path/of/a/folder or s3://bucket";
    let folder = text
        .strip_prefix("file://")
        .is_some_and(|path| path.starts_with('/') && !path.contains(char::is_control));
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    let bucket = text
        .strip_prefix(BUCKET)
        .is_some_and(|path| !path.is_empty() && !path.starts_with('/') && path.bytes().all(legal));
    if !folder && !bucket {
        return Err(wrong);
    }
    Ok(text.to_owned())
}

/// The folder `avatars` beside a SQLite database.
fn beside(store_url: &Secret) -> Option<String> {
    let path = store_url.expose().strip_prefix("sqlite://")?;
    let folder = absolute(Path::new(path).with_file_name("avatars")).ok()?;
    Some(format!("file://{}", folder.display()))
}
