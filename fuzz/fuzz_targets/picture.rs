//! A picture with a code: one byte that chooses, and a PNG file, or a byte of width and pixels of grey.
#![no_main]

use hybridge_picture::{GrayImage, from_pixels, from_png};
use hybridge_proto::qr::QrCode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = match bytes {
        [choice, png @ ..] if choice % 2 == 0 => from_png(png).ok(),
        [_, width, pixels @ ..] => {
            gray(u32::from(*width), pixels).and_then(|picture| from_pixels(picture).ok())
        }
        _ => None,
    };
    if let Some(text) = text {
        let _ = QrCode::parse(&text);
    }
});

fn gray(width: u32, pixels: &[u8]) -> Option<GrayImage> {
    let height = u32::try_from(pixels.len()).ok()?.checked_div(width)?;
    GrayImage::from_raw(width, height, pixels.to_vec())
}
