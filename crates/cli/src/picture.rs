//! Finds the QR code in a picture.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageError, ImageFormat, ImageReader, Limits, Luma};
use rqrr::PreparedImage;
use zeroize::Zeroizing;

use crate::error::Error;

/// The largest picture that is decoded, in pixels each way.
const MAX_SIDE: u32 = 16_384;

/// Reads the text of the QR code in a PNG file. Of several codes one that starts with `FIDO:/` is taken.
pub(crate) fn read_code(png: &[u8]) -> Result<Zeroizing<String>, Error> {
    let picture = decode(png).map_err(Error::NotPng)?;
    let mut pixels = on_white(&picture);
    let error = match find(&pixels) {
        Err(error) => error,
        found => return found,
    };
    // Drawn on a dark background, light and dark change places.
    image::imageops::invert(&mut pixels);
    find(&pixels).map_err(|_| error)
}

fn decode(png: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    reader.decode()
}

/// Greyscale, with white where the picture is transparent.
fn on_white(picture: &DynamicImage) -> GrayImage {
    let pixels = picture.to_luma_alpha8();
    let blend = |light: u8, alpha: u8| {
        let (light, alpha) = (u16::from(light), u16::from(alpha));
        u8::try_from((light * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    GrayImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [light, alpha] = pixels.get_pixel(x, y).0;
        Luma([blend(light, alpha)])
    })
}

fn find(pixels: &GrayImage) -> Result<Zeroizing<String>, Error> {
    let mut other = Err(Error::NoCode);
    for grid in PreparedImage::prepare(pixels.clone()).detect_grids() {
        let text = match grid.decode() {
            Ok((_, text)) => Zeroizing::new(text),
            Err(error) => {
                other = other.or(Err(Error::Illegible(error)));
                continue;
            }
        };
        if text.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("FIDO:/")) {
            return Ok(text);
        }
        other = Ok(text);
    }
    other
}
