//! WebP: what its chunks are, before anything is unpacked.

use std::io::Cursor;

use image::{ImageDecoder, RgbImage, codecs::webp::WebPDecoder, metadata::Orientation};
use menjin_core::Refusal;

use super::picture::{ANIMATED, CUT_OFF, UNREADABLE, check_need, check_size, unpack};

/// The picture, made small, and how it is to be turned.
pub(super) fn read(file: &[u8]) -> Result<(RgbImage, Orientation), Refusal> {
    let chunks = chunks(file)?;
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| UNREADABLE)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.has_animation() || chunks.contains(b"ANMF") {
        return Err(ANIMATED);
    }
    let pixels = u64::from(width) * u64::from(height);
    check_need(pixels * halves_a_pixel(&chunks) / 2)?;
    let orientation = decoder.orientation().map_err(|_| UNREADABLE)?;
    Ok((unpack(decoder)?, orientation))
}

/// The names of the chunks. Each must be there whole: the decoder makes room for what a chunk says
/// that it holds.
fn chunks(file: &[u8]) -> Result<Vec<[u8; 4]>, Refusal> {
    let length: [u8; 4] = file
        .get(4..8)
        .and_then(|length| length.try_into().ok())
        .ok_or(CUT_OFF)?;
    let length = u32::from_le_bytes(length) as usize;
    // What stands behind it is none of ours.
    let body = file.get(8..).and_then(|body| body.get(..length));
    let mut rest = body.and_then(|body| body.get(4..)).ok_or(CUT_OFF)?;
    let mut names = Vec::new();
    while let Some((name, after)) = rest.split_first_chunk() {
        let (length, after) = after.split_first_chunk().ok_or(CUT_OFF)?;
        let length = u32::from_le_bytes(*length) as usize;
        let after = after.get(length..).ok_or(CUT_OFF)?;
        // A byte is added to what is odd; the last one is sometimes forgotten.
        rest = after.get(length % 2..).unwrap_or_default();
        names.push(*name);
    }
    Ok(names)
}

/// Half bytes that a pixel takes while it is unpacked: what comes out, and what the decoder keeps
/// beside it.
fn halves_a_pixel(chunks: &[[u8; 4]]) -> u64 {
    let has = |name: &[u8; 4]| chunks.contains(name);
    if has(b"VP8L") {
        // Up to four samples, the same again before opacity is left out, and some for the codes.
        2 * 8
    } else if has(b"ALPH") {
        // Four samples, brightness and colours as they were coded, and opacity as it was.
        2 * 4 + 3 + 2 * 6
    } else {
        2 * 3 + 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (name, content) in chunks {
            body.extend(*name);
            body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
            body.extend(*content);
            body.extend(&[0][..content.len() % 2]);
        }
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [b"RIFF", &length[..], &body].concat()
    }

    #[test]
    fn every_chunk_is_there_whole() {
        let good = file(&[(b"VP8X", &[0; 10]), (b"ALPH", &[1; 3]), (b"VP8 ", &[2; 4])]);
        assert_eq!(chunks(&good).unwrap(), [*b"VP8X", *b"ALPH", *b"VP8 "]);
        for length in 0..good.len() {
            assert!(chunks(&good[..length]).is_err(), "{length}");
        }
        // One that says that it holds four gigabytes.
        let mut liar = good.clone();
        liar[16..20].copy_from_slice(&[0xff; 4]);
        assert_eq!(chunks(&liar), Err(CUT_OFF));
        assert_eq!(
            chunks(&[&good[..], b"PK\x03\x04"].concat()).unwrap().len(),
            3
        );
    }

    #[test]
    fn each_kind_has_its_need() {
        assert_eq!(halves_a_pixel(&[*b"VP8 "]), 9);
        assert_eq!(halves_a_pixel(&[*b"VP8X", *b"VP8L"]), 16);
        assert_eq!(halves_a_pixel(&[*b"VP8X", *b"ALPH", *b"VP8 "]), 23);
    }
}
