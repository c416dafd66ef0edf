//! A large picture made small as its pixels come: what is kept is the small one.

use image::RgbImage;

/// What the longest side is brought near to here, in whole steps; the rest is done with more care.
const NEAR: u32 = 1024;

/// The mean of each square of pixels, over white where they let something through.
pub(super) struct Reduced {
    /// The side of a square.
    step: usize,
    /// Of the picture that comes.
    size: (usize, usize),
    /// Squares in a row.
    across: usize,
    /// Red, green and blue of each square. No side is over 4096, so a square has at most 16
    /// pixels, and their sum fits.
    sums: Vec<[u16; 3]>,
}

/// Where the pixels of a row belong: in which line, from which column on, and how far apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) apart: usize,
}

impl Reduced {
    /// For a picture of this size, which has at most 4096 pixels a side.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let step = (width.max(height) / NEAR).max(1) as usize;
        let size = (width as usize, height as usize);
        let (across, down) = (size.0.div_ceil(step), size.1.div_ceil(step));
        Self {
            step,
            size,
            across,
            sums: vec![[0; 3]; across * down],
        }
    }

    /// Takes a row of pixels of 1 to 4 samples: grey, grey and opacity, colours, colours and opacity.
    pub(super) fn row(&mut self, place: Place, samples: usize, row: &[u8]) {
        let line = place.line / self.step * self.across;
        for (index, pixel) in row.chunks_exact(samples.max(1)).enumerate() {
            let column = place.column + index * place.apart;
            if let Some(sum) = self.sums.get_mut(line + column / self.step) {
                for (sum, sample) in sum.iter_mut().zip(over_white(pixel)) {
                    *sum += u16::from(sample);
                }
            }
        }
    }

    /// Takes a whole picture, row by row.
    pub(super) fn whole(&mut self, samples: usize, pixels: &[u8]) {
        for (line, row) in pixels.chunks_exact(self.size.0 * samples).enumerate() {
            let place = Place {
                line,
                column: 0,
                apart: 1,
            };
            self.row(place, samples, row);
        }
    }

    /// The small picture.
    pub(super) fn finish(self) -> Option<RgbImage> {
        let (width, height) = self.size;
        let means = self.sums.iter().enumerate().flat_map(|(square, sum)| {
            // At the right and the bottom a square may stand out.
            let reach = |at: usize, end: usize| self.step.min(end - at * self.step);
            let pixels = reach(square % self.across, width) * reach(square / self.across, height);
            sum.map(|sum| u8::try_from((usize::from(sum) + pixels / 2) / pixels).unwrap_or(255))
        });
        let bytes: Vec<u8> = means.collect();
        let (across, down) = (self.across, height.div_ceil(self.step));
        RgbImage::from_raw(
            u32::try_from(across).ok()?,
            u32::try_from(down).ok()?,
            bytes,
        )
    }
}

/// What a pixel looks like on white paper.
fn over_white(pixel: &[u8]) -> [u8; 3] {
    let mix = |sample: u8, opacity: u8| {
        let (sample, opacity) = (u32::from(sample), u32::from(opacity));
        u8::try_from((sample * opacity + 255 * (255 - opacity) + 127) / 255).unwrap_or(255)
    };
    match *pixel {
        [grey] => [grey; 3],
        [grey, opacity] => [mix(grey, opacity); 3],
        [red, green, blue] => [red, green, blue],
        [red, green, blue, opacity] => [red, green, blue].map(|sample| mix(sample, opacity)),
        _ => [255; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_stays_as_it_is() {
        let mut reduced = Reduced::new(2, 2);
        reduced.whole(3, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let small = reduced.finish().unwrap();
        assert_eq!(small.as_raw(), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }

    #[test]
    fn squares_at_the_edges_are_means_of_what_they_hold() {
        // Five lines of 4096 in squares of four: the last line is a square of its own.
        let mut reduced = Reduced::new(4096, 5);
        let mut pixels = vec![255; 4096 * 4];
        pixels.extend(vec![100; 4096]);
        reduced.whole(1, &pixels);
        let small = reduced.finish().unwrap();
        assert_eq!(small.dimensions(), (1024, 2));
        assert_eq!(small.get_pixel(1023, 0).0, [255; 3]);
        assert_eq!(small.get_pixel(1023, 1).0, [100; 3]);
    }

    #[test]
    fn what_lets_through_lies_on_white() {
        assert_eq!(over_white(&[0, 0, 0, 0]), [255; 3]);
        assert_eq!(over_white(&[9, 8, 7, 255]), [9, 8, 7]);
        assert_eq!(over_white(&[0, 128]), [127; 3]);
    }
}
