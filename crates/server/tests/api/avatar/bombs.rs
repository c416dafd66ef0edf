//! Small files that unpack to much, and what they cost.

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use png::{BitDepth, ColorType};

use super::{png_of, why};
use crate::harness::TestApp;

const MEBIBYTE: u64 = 1024 * 1024;
const TOO_WIDE: &str = "a picture has at most 4096 x 4096 pixels, and at least one";
const TOO_COSTLY: &str = "the picture has too many pixels for its kind of file; make it smaller";

/// Its name, how it is made, and why it is refused if it is.
type Bomb = (&'static str, fn() -> Vec<u8>, Result<(), &'static str>);

/// The most memory that this process had since [`forget_peak`]. One test runs in a process.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() * 1024
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn png(side: u32, kind: ColorType, depth: BitDepth, row: usize) -> Vec<u8> {
    png_of(side, side, (kind, depth), &mut |_| vec![0; row])
}

/// Whatever a file unpacks to, taken or refused, it takes no more than 64 MiB.
async fn upload(bombs: &[Bomb]) {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    app.uploaded(&wang, 1).await;
    for (name, make, expected) in bombs {
        let file = make();
        assert!(file.len() < 2 * 1024 * 1024, "{name}: {}", file.len());
        forget_peak();
        let before = peak();
        let reply = app.upload(&wang, &file).await;
        let grown = peak() - before;
        match expected {
            Ok(()) => assert_eq!(reply.status, 200, "{name}: {}", reply.text),
            Err(words) => assert_eq!(why(&reply), (400, (*words).to_owned()), "{name}"),
        }
        assert!(grown <= 64 * MEBIBYTE, "{name}: {} MiB", grown / MEBIBYTE);
    }
    app.end().await;
}

/// Proves PRF-6: what would be too much is refused before it is unpacked.
#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    upload(&[
        (
            "png",
            || png(30_000, ColorType::Grayscale, BitDepth::One, 3_750),
            Err(TOO_WIDE),
        ),
        (
            "a pixel more",
            || png(4_097, ColorType::Grayscale, BitDepth::One, 513),
            Err(TOO_WIDE),
        ),
        (
            "wide jpeg",
            || headers_of_a_jpeg(65_500, 0xc0),
            Err(TOO_WIDE),
        ),
        (
            "progressive jpeg",
            || headers_of_a_jpeg(4_096, 0xc2),
            Err(TOO_COSTLY),
        ),
        ("wide webp", || headers_of_a_webp(16_384), Err(TOO_WIDE)),
        ("webp", || headers_of_a_webp(4_096), Err(TOO_COSTLY)),
    ])
    .await;
}

/// Proves PRF-6: a picture of the largest size is taken, though it unpacks to 64 MiB.
#[tokio::test]
async fn a_large_png_is_never_whole() {
    let png = || png(4_096, ColorType::Rgba, BitDepth::Eight, 16_384);
    upload(&[("png", png, Ok(()))]).await;
}

/// Proves PRF-6: the same of what has to be unpacked whole.
#[tokio::test]
async fn a_large_jpeg_is_small_enough() {
    let jpeg = || jpeg(4_096);
    upload(&[("jpeg", jpeg, Ok(()))]).await;
}

fn jpeg(side: u32) -> Vec<u8> {
    let picture = RgbImage::from_pixel(side, side, Rgb([10, 200, 30]));
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, 50);
    picture.write_with_encoder(encoder).unwrap();
    file
}

/// A small picture whose headers say that it is large, and of this kind.
fn headers_of_a_jpeg(side: u16, kind: u8) -> Vec<u8> {
    let mut file = jpeg(16);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let frame = frame.unwrap();
    file[frame + 1] = kind;
    let side = side.to_be_bytes();
    file[frame + 5..frame + 9].copy_from_slice(&[side, side].concat());
    file
}

/// The beginning of a lossless picture.
fn headers_of_a_webp(side: u32) -> Vec<u8> {
    let dimensions = (side - 1) | (side - 1) << 14;
    let mut body = b"WEBPVP8L\x0a\0\0\0\x2f".to_vec();
    body.extend(dimensions.to_le_bytes());
    body.extend([0; 5]);
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF", &length[..], &body].concat()
}
