//! JPEG: what its headers say, before anything is unpacked.
//!
//! Baseline pictures are unpacked a line of blocks at a time. Others, which send each part of the
//! picture several times or each colour by itself, need all their blocks at once.

use std::io::Cursor;

use image::{ImageDecoder, RgbImage, codecs::jpeg::JpegDecoder, metadata::Orientation};
use menjin_core::Refusal;

use super::picture::{CUT_OFF, UNREADABLE, check_need, check_size, unpack};

/// What the headers of a JPEG picture say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Headers {
    width: u16,
    height: u16,
    /// Bytes that unpacking takes, the picture itself included.
    need: u64,
}

/// The picture, made small, and how it is to be turned.
pub(super) fn read(file: &[u8]) -> Result<(RgbImage, Orientation), Refusal> {
    let headers = headers(file)?;
    check_size(headers.width.into(), headers.height.into())?;
    check_need(headers.need)?;
    let mut decoder = JpegDecoder::new(Cursor::new(file)).map_err(|_| UNREADABLE)?;
    let orientation = decoder.orientation().map_err(|_| UNREADABLE)?;
    // It and the walk through the headers must speak of the same picture.
    if decoder.dimensions() != (headers.width.into(), headers.height.into()) {
        return Err(UNREADABLE);
    }
    Ok((unpack(decoder)?, orientation))
}

/// Walks from marker to marker up to the first scan, and looks for the end of the picture behind it:
/// one that was cut off would be filled up with grey.
fn headers(file: &[u8]) -> Result<Headers, Refusal> {
    let mut rest = file.get(2..).ok_or(UNREADABLE)?;
    let mut frame: Option<(u8, &[u8])> = None;
    loop {
        let (marker, after) = marker(rest)?;
        let (segment, after) = segment(after)?;
        rest = after;
        match marker {
            0xda => break finish(frame, segment, rest),
            // A picture has one frame; those three among their markers are tables.
            0xc0..=0xcf
                if ![0xc4, 0xc8, 0xcc].contains(&marker)
                    && frame.replace((marker, segment)).is_some() =>
            {
                return Err(UNREADABLE);
            }
            0xd8 | 0xd9 => return Err(UNREADABLE),
            _ => {}
        }
    }
}

/// The next marker, before which any number of bytes `ff` may stand.
fn marker(bytes: &[u8]) -> Result<(u8, &[u8]), Refusal> {
    let after = bytes.strip_prefix(&[0xff]).ok_or(UNREADABLE)?;
    let fill = after.iter().take_while(|byte| **byte == 0xff).count();
    let (marker, rest) = after
        .get(fill..)
        .and_then(<[u8]>::split_first)
        .ok_or(UNREADABLE)?;
    Ok((*marker, rest))
}

/// A segment, whose length counts itself.
fn segment(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let (length, rest) = bytes.split_first_chunk().ok_or(CUT_OFF)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length = length.checked_sub(2).ok_or(UNREADABLE)?;
    rest.split_at_checked(length).ok_or(CUT_OFF)
}

fn finish(frame: Option<(u8, &[u8])>, scan: &[u8], rest: &[u8]) -> Result<Headers, Refusal> {
    let (kind, frame) = frame.ok_or(UNREADABLE)?;
    let &[_, h1, h2, w1, w2, colours, ref samplings @ ..] = frame else {
        return Err(UNREADABLE);
    };
    // In what is coded, `ff` is followed by 00 or a restart marker, so `ff d9` is the end.
    if !rest.windows(2).any(|pair| pair == [0xff, 0xd9]) {
        return Err(CUT_OFF);
    }
    let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
    let pixels = u64::from(width) * u64::from(height);
    let mut need = pixels * if colours == 1 { 1 } else { 3 };
    let at_once = matches!(kind, 0xc0 | 0xc1) && scan.first() == Some(&colours);
    if !at_once {
        need += 2 * samples(width, height, samplings);
    }
    Ok(Headers {
        width,
        height,
        need,
    })
}

/// How many coefficients all the blocks have.
fn samples(width: u16, height: u16, samplings: &[u8]) -> u64 {
    let factors = samplings.chunks_exact(3).filter_map(|colour| {
        let factors = *colour.get(1)?;
        Some((u64::from(factors >> 4), u64::from(factors & 15)))
    });
    let most = factors.clone().fold((1, 1), |most, each| {
        (most.0.max(each.0), most.1.max(each.1))
    });
    let across = u64::from(width).div_ceil(8 * most.0);
    let down = u64::from(height).div_ceil(8 * most.1);
    let blocks: u64 = factors.map(|each| each.0 * each.1).sum();
    across * down * blocks * 64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 4096 x 4096 with colours of half the width and height, as far as its headers say.
    fn file(kind: u8, scanned: u8) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xff, 0xe0, 0, 4, 1, 2];
        file.extend([0xff, kind, 0, 17, 8, 16, 0, 16, 0, 3]);
        file.extend([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
        file.extend([0xff, 0xda, 0, 3, scanned, 0xff, 0, 1, 2, 0xff, 0xd9]);
        file
    }

    #[test]
    fn what_unpacking_takes_is_told_before() {
        let pixels = 4096 * 4096;
        let need = |kind, scanned| headers(&file(kind, scanned)).unwrap().need;
        assert_eq!(need(0xc0, 3), pixels * 3);
        assert_eq!(need(0xc0, 1), pixels * 6, "each colour by itself");
        assert_eq!(need(0xc2, 3), pixels * 6, "progressive");
        assert_eq!(headers(&file(0xc0, 3)).unwrap().width, 4096);
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        let good = file(0xc0, 3);
        for length in 0..good.len() {
            assert!(headers(&good[..length]).is_err(), "{length}");
        }
        assert_eq!(headers(&good[..good.len() - 1]), Err(CUT_OFF));
        let two_frames = [&good[..28], &good[9..]].concat();
        assert_eq!(headers(&two_frames), Err(UNREADABLE));
    }
}
