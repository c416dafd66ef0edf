use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, Encoder};
use image::{
    ImageFormat, Rgb, RgbImage,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};

use super::*;

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Red on the left, blue on the right.
fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        Rgb(if x < width / 2 { RED } else { BLUE })
    })
}

fn pack(width: u32, height: u32, kind: ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(kind);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, 95);
    picture.write_with_encoder(encoder).unwrap();
    file
}

fn webp(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut file);
    picture.write_with_encoder(encoder).unwrap();
    file
}

/// Puts an EXIF segment with an orientation, and a place on earth, behind the first two bytes.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    exif.extend(b"\0\0\0\0GPS 31.2304N 121.4737E");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

fn seen(jpeg: &[u8]) -> RgbImage {
    let picture = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap();
    picture.to_rgb8()
}

#[track_caller]
fn near(pixel: Rgb<u8>, wanted: [u8; 3]) {
    let close = |(is, should): (&u8, &u8)| is.abs_diff(*should) < 24;
    assert!(
        pixel.0.iter().zip(&wanted).all(close),
        "{pixel:?} {wanted:?}"
    );
}

/// Proves PRF-6: each kind that is taken becomes a JPEG of 512 pixels at most.
#[test]
fn every_kind_becomes_ours() {
    let flag = flag(900, 600);
    let files = [
        pack(900, 600, ColorType::Rgb, flag.as_raw()),
        jpeg(&flag),
        webp(&flag),
    ];
    for file in files {
        let picture = seen(&remake(&file).unwrap());
        assert_eq!(picture.dimensions(), (512, 341));
        near(*picture.get_pixel(100, 170), RED);
        near(*picture.get_pixel(400, 170), BLUE);
    }
}

#[test]
fn the_largest_and_the_smallest_are_taken() {
    for (width, height, kept) in [
        (1, 1, (1, 1)),
        (512, 512, (512, 512)),
        (4096, 1, (512, 1)),
        (1, 4096, (1, 512)),
        (3, 2, (3, 2)),
    ] {
        let flag = flag(width, height);
        let file = pack(width, height, ColorType::Rgb, flag.as_raw());
        let picture = seen(&remake(&file).unwrap());
        assert_eq!(picture.dimensions(), kept);
    }
    let grey = pack(4096, 4096, ColorType::Grayscale, &vec![200; 4096 * 4096]);
    assert_eq!(seen(&remake(&grey).unwrap()).dimensions(), (512, 512));
}

/// Proves PRF-6: what lies behind is white, and not black.
#[test]
fn what_lets_through_lies_on_white() {
    let clear = pack(20, 20, ColorType::Rgba, &[0; 1600]);
    near(*seen(&remake(&clear).unwrap()).get_pixel(10, 10), [255; 3]);
}

/// Proves PRF-6: EXIF turns the picture, and is gone.
#[test]
fn a_picture_is_turned_upright_and_says_nothing_else() {
    let file = jpeg(&flag(64, 32));
    let upright = remake(&turned(&file, 1)).unwrap();
    assert_eq!(seen(&upright).dimensions(), (64, 32));
    let turned = remake(&turned(&file, 6)).unwrap();
    let picture = seen(&turned);
    assert_eq!(picture.dimensions(), (32, 64));
    near(*picture.get_pixel(16, 10), RED);
    near(*picture.get_pixel(16, 54), BLUE);
    for made in [upright, turned] {
        for trace in [&b"Exif"[..], b"GPS", b"\xff\xe1", b"http"] {
            assert!(!made.windows(trace.len()).any(|part| part == trace));
        }
    }
}

/// Proves PRF-6: the first bytes decide, and nothing but pictures is taken.
#[test]
fn what_is_no_picture_is_refused() {
    for file in [
        &b""[..],
        b"\xff",
        b"GIF89a\x01\0\x01\0",
        b"BM",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"II*\0",
        b"\0\0\0\x20ftypheic",
    ] {
        assert_eq!(remake(file), Err(UNKNOWN), "{file:?}");
    }
    for file in [
        &b"\x89PNG\r\n\x1a\n"[..],
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
    ] {
        assert!(remake(file).is_err(), "{file:?}");
    }
    assert_eq!(
        remake(&vec![0; MAX_FILE + 1]),
        Err(Refusal::PictureTooLarge)
    );
}

/// Proves PRF-6: of a file that is a picture and something else, the picture alone is left.
#[test]
fn what_hides_in_a_picture_is_gone() {
    let flag = flag(40, 30);
    let script = b"<script>alert(1)</script>PK\x03\x04<?php system($_GET['c']);";
    let mut comment = vec![0xff, 0xfe, 0, u8::try_from(script.len() + 2).unwrap()];
    comment.extend(script);
    let file = jpeg(&flag);
    let commented = [&file[..2], &comment, &file[2..]].concat();
    let files = [
        [&file[..], script].concat(),
        commented,
        [&pack(40, 30, ColorType::Rgb, flag.as_raw())[..], script].concat(),
        [&webp(&flag)[..], script].concat(),
    ];
    for file in files {
        let made = remake(&file).unwrap();
        assert_eq!(seen(&made).dimensions(), (40, 30));
        for trace in [&b"<script"[..], b"PK\x03\x04", b"<?php"] {
            assert!(!made.windows(trace.len()).any(|part| part == trace));
        }
    }
}

#[test]
fn what_is_cut_off_or_damaged_is_refused_or_still_a_picture() {
    let flag = flag(200, 100);
    let files = [
        pack(200, 100, ColorType::Rgb, flag.as_raw()),
        jpeg(&flag),
        webp(&flag),
    ];
    for file in files {
        for part in 1..20 {
            assert!(remake(&file[..file.len() * part / 20]).is_err());
        }
        assert!(remake(&file[..file.len() - 1]).is_err());
        for at in (8..file.len()).step_by(file.len() / 40) {
            let mut damaged = file.clone();
            damaged[at] ^= 0x55;
            if let Ok(made) = remake(&damaged) {
                seen(&made);
            }
        }
    }
}

#[test]
fn moving_pictures_are_refused() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 2, 2);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 4]).unwrap();
    writer.write_image_data(&[9; 4]).unwrap();
    writer.finish().unwrap();
    assert_eq!(remake(&file), Err(ANIMATED));
    // As an animated WebP begins: the flag in VP8X, the animation, a frame.
    let mut body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0\x01\0\0\x01\0\0".to_vec();
    body.extend(b"ANIM\x06\0\0\0\0\0\0\0\0\0ANMF\x18\0\0\0");
    body.extend([0; 24]);
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    assert!(remake(&[b"RIFF", &length[..], &body].concat()).is_err());
}

/// Interlaced pictures come as seven small ones; each pixel belongs somewhere.
#[test]
fn interlaced_pictures_are_put_together() {
    for (file, width, height) in [
        (&include_bytes!("adam7.png")[..], 13, 11),
        (include_bytes!("adam7-narrow.png"), 1, 1),
    ] {
        let mut reader = Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let (small, _) = png::read(file).unwrap();
        assert_eq!(small.dimensions(), (width, height));
        assert_eq!(small.as_raw(), &pixels);
    }
}
