//! `POST /v1/user/avatar`, and `GET /avatars/{name}` for everybody who is shown a picture

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use menjin_core::Refusal;
use serde::Serialize;

use crate::{
    app::App,
    avatars,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{GeneralFailure, PictureFailure, TokenFailure},
    },
    flows::set_avatar::set_avatar,
};

/// A picture to upload.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "the parts are read by hand")]
pub(crate) struct AvatarUpload {
    /// PNG, JPEG or WebP, 2 MiB and 4096 x 4096 pixels at most, not moving.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Where the picture is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AvatarReply {
    success: bool,
    /// Its address, which is the account's `avatar` from now on.
    data: String,
}

/// Upload a picture of oneself
///
/// It is turned upright, made 512 pixels at most and JPEG, and shown at once; the former one is erased.
#[utoipa::path(
    post,
    path = "/v1/user/avatar",
    operation_id = "avatar",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body(content = AvatarUpload, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Its address", body = AvatarReply),
        (status = 400, description = "Not a picture that is taken; `data` says why", body = PictureFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller has not registered", body = GeneralFailure),
        (status = 404, description = "This deployment keeps no pictures", body = PictureFailure),
        (status = 408, description = "The upload took too long to arrive", body = PictureFailure),
        (status = 413, description = "The picture is over 2 MiB", body = PictureFailure),
        (status = 503, description = "Too many uploads, or the store cannot be asked now; see Retry-After", body = PictureFailure),
    )
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Json<AvatarReply>, Failure> {
    let uid = caller.user()?.uid;
    if app.pictures.is_none() {
        return Err(Refusal::NotFound.into());
    }
    let place = app.workshop.enter(uid)?;
    let file = avatars::file_of(request).await?;
    let data = set_avatar(&app, uid, place, file).await?;
    Ok(Json(AvatarReply {
        success: true,
        data,
    }))
}

/// A picture of somebody
#[utoipa::path(
    get,
    path = "/avatars/{name}",
    operation_id = "picture",
    tag = "Mini program",
    params(("name" = String, Path, description = "As the address that an upload gave has it")),
    responses(
        (status = 200, description = "The picture; it never changes", content_type = "image/jpeg"),
        (status = 304, description = "It is the one of If-None-Match"),
        (status = 404, description = "There is none of that name", body = GeneralFailure),
        (status = 503, description = "The place of pictures cannot be asked now; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Path(name) = name.map_err(|_| Refusal::NotFound)?;
    let picture = avatars::find(&app, &name).await?;
    let picture = picture.ok_or(Refusal::NotFound)?;
    let tag = HeaderValue::try_from(format!("\"{name}\"")).map_err(Failure::broken)?;
    let mut response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind: [(HeaderName, &str); 2] = [
            (CONTENT_TYPE, "image/jpeg"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        ];
        (kind, picture).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, tag);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(avatars::CACHED));
    Ok(response)
}

/// Whether the caller has what the tag stands for (RFC 9110 §13.1.2).
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let named = headers.get_all(IF_NONE_MATCH).iter();
    let mut named = named.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    named.any(|one| {
        let one = one.trim_ascii();
        one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == tag.as_bytes()
    })
}
