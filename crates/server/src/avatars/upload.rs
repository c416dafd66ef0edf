//! The file in an upload: `multipart/form-data`, bounded in size and time.

use std::time::Duration;

use axum::{
    extract::Request,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use menjin_core::Refusal;
use multer::{Constraints, Error, Multipart, SizeLimit};

use super::MAX_FILE;

/// What the parts around the file, and what separates them, may take.
const AROUND: usize = 64 * 1024;
/// Whoever sends slower than this is not waiting for an answer.
const MAX_TIME: Duration = Duration::from_secs(30);

const NO_UPLOAD: Refusal =
    Refusal::PictureRefused("a picture is sent as multipart/form-data, in a part called file");
const NO_FILE: Refusal = Refusal::PictureRefused("the upload has no part called file");
const TWO_FILES: Refusal = Refusal::PictureRefused("the upload has two parts called file");
const UNREADABLE: Refusal = Refusal::PictureRefused("the upload cannot be read");

/// The content of the part `file`; other parts are ignored, and so is whatever the part says of itself.
pub(crate) async fn file_of(request: Request) -> Result<Vec<u8>, Refusal> {
    let headers = request.headers();
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let boundary = multer::parse_boundary(declared.unwrap_or_default());
    let boundary = boundary.map_err(|_| NO_UPLOAD)?;
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > (MAX_FILE + AROUND) as u64) {
        return Err(Refusal::PictureTooLarge);
    }
    let limit = SizeLimit::new()
        .whole_stream((MAX_FILE + AROUND) as u64)
        .for_field("file", MAX_FILE as u64);
    let parts = Multipart::with_constraints(
        request.into_body().into_data_stream(),
        boundary,
        Constraints::new().size_limit(limit),
    );
    let read = tokio::time::timeout(MAX_TIME, find(parts)).await;
    match read {
        Ok(read) => read.map_err(|error| refused(&error))?,
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

/// Reads to the end, so that what is cut off is not taken for whole.
async fn find(mut parts: Multipart<'_>) -> Result<Result<Vec<u8>, Refusal>, Error> {
    let mut file = None;
    while let Some(part) = parts.next_field().await? {
        if part.name() == Some("file") {
            let content = part.bytes().await?;
            if file.replace(content).is_some() {
                return Ok(Err(TWO_FILES));
            }
        }
    }
    Ok(file.map(Vec::from).ok_or(NO_FILE))
}

fn refused(error: &Error) -> Refusal {
    match error {
        Error::FieldSizeExceeded { .. } | Error::StreamSizeExceeded { .. } => {
            Refusal::PictureTooLarge
        }
        _ => UNREADABLE,
    }
}
