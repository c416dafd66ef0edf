//! From whatever somebody uploads to a picture that is ours: upright, 512 pixels at most, JPEG, with
//! nothing in it but pixels.
//!
//! Kind and size are read from the first bytes, and what unpacking would take is known, before
//! anything is unpacked.

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, Limits, RgbImage, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use menjin_core::Refusal;

use super::{jpeg, png, reduce::Reduced, webp};

/// Bytes of a file.
pub(crate) const MAX_FILE: usize = 2 * 1024 * 1024;
/// Pixels of a side that is taken, and of one that is kept.
const MAX_SIDE: u32 = 4096;
const KEPT_SIDE: u32 = 512;
/// Bytes that unpacking may take. With the file and the small picture it stays under 64 MiB.
const MAX_NEED: u64 = 48 * 1024 * 1024;
/// Good enough for a face, and small.
const QUALITY: u8 = 85;

pub(super) const UNREADABLE: Refusal = Refusal::PictureRefused("the picture cannot be read");
pub(super) const CUT_OFF: Refusal = Refusal::PictureRefused("the picture is cut off");
pub(super) const ANIMATED: Refusal = Refusal::PictureRefused("a moving picture is not taken");
const UNKNOWN: Refusal = Refusal::PictureRefused("only PNG, JPEG and WebP pictures are taken");
const TOO_WIDE: Refusal =
    Refusal::PictureRefused("a picture has at most 4096 x 4096 pixels, and at least one");
const TOO_COSTLY: Refusal = Refusal::PictureRefused(
    "the picture has too many pixels for its kind of file; make it smaller",
);

/// Makes our picture of a file, or says why not. Takes a core for up to a second.
pub(super) fn remake(file: &[u8]) -> Result<Vec<u8>, Refusal> {
    if file.len() > MAX_FILE {
        return Err(Refusal::PictureTooLarge);
    }
    let (small, orientation) = match file {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => png::read(file)?,
        [0xff, 0xd8, 0xff, ..] => jpeg::read(file)?,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp::read(file)?,
        _ => return Err(UNKNOWN),
    };
    let mut picture = DynamicImage::from(small);
    if picture.width().max(picture.height()) > KEPT_SIDE {
        picture = picture.resize(KEPT_SIDE, KEPT_SIDE, FilterType::CatmullRom);
    }
    picture.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    let (width, height) = (picture.width(), picture.height());
    encoder
        .write_image(picture.as_bytes(), width, height, picture.color().into())
        .map_err(|_| UNREADABLE)?;
    Ok(jpeg)
}

/// Refuses a size that is not taken.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), Refusal> {
    let taken = 1..=MAX_SIDE;
    if taken.contains(&width) && taken.contains(&height) {
        Ok(())
    } else {
        Err(TOO_WIDE)
    }
}

/// Refuses a picture that would take too many bytes to unpack.
pub(super) fn check_need(bytes: u64) -> Result<(), Refusal> {
    if bytes <= MAX_NEED {
        Ok(())
    } else {
        Err(TOO_COSTLY)
    }
}

/// Unpacks a picture whose size and need were checked, and makes it small.
pub(super) fn unpack(mut decoder: impl ImageDecoder) -> Result<RgbImage, Refusal> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_NEED);
    decoder.set_limits(limits).map_err(|_| UNREADABLE)?;
    check_need(decoder.total_bytes())?;
    let bytes = usize::try_from(decoder.total_bytes()).map_err(|_| TOO_COSTLY)?;
    let (width, height) = decoder.dimensions();
    let samples = usize::from(decoder.color_type().channel_count());
    let mut pixels = vec![0; bytes];
    decoder.read_image(&mut pixels).map_err(|_| UNREADABLE)?;
    let mut reduced = Reduced::new(width, height);
    reduced.whole(samples, &pixels);
    reduced.finish().ok_or(UNREADABLE)
}

#[cfg(test)]
mod tests;
