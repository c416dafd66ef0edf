//! PNG, row by row: a small file may unpack to a thousand times its size, so it is never unpacked
//! whole.

use std::io::Cursor;

use image::{RgbImage, metadata::Orientation};
use menjin_core::Refusal;
use png::{ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use super::{
    picture::{ANIMATED, UNREADABLE, check_size},
    reduce::{Place, Reduced},
};

/// What chunks beside the pixels may take.
const CHUNKS: usize = 4 * 1024 * 1024;

/// Adam7: from which column and line on each pass has pixels, and how far apart.
const PASSES: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// The picture, made small, and how it is to be turned.
pub(super) fn read(file: &[u8]) -> Result<(RgbImage, Orientation), Refusal> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: CHUNKS });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(unreadable)?;
    check_size(header.width, header.height)?;
    let mut reader = decoder.read_info().map_err(unreadable)?;
    if reader.info().is_animated() {
        return Err(ANIMATED);
    }
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let small = rows(&mut reader)?;
    Ok((small, orientation.unwrap_or(Orientation::NoTransforms)))
}

fn rows(reader: &mut Reader<Cursor<&[u8]>>) -> Result<RgbImage, Refusal> {
    let info = reader.info();
    let (width, height, interlaced) = (info.width, info.height, info.interlaced);
    let samples = match reader.output_color_type().0 {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err(UNREADABLE),
    };
    let mut reduced = Reduced::new(width, height);
    let passes = if interlaced {
        &PASSES[..]
    } else {
        &[(0, 0, 1, 1)]
    };
    for &(column, line, apart, lines) in passes {
        // A picture of few columns has nothing in some passes.
        if column >= width as usize {
            continue;
        }
        for line in (line..height as usize).step_by(lines) {
            let row = reader.next_row().map_err(unreadable)?.ok_or(UNREADABLE)?;
            let place = Place {
                line,
                column,
                apart,
            };
            reduced.row(place, samples, row.data());
        }
    }
    reader.finish().map_err(unreadable)?;
    reduced.finish().ok_or(UNREADABLE)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn unreadable(error: DecodingError) -> Refusal {
    tracing::debug!(%error, "a PNG picture could not be read");
    UNREADABLE
}
