//! Reads the text of a QR code out of a picture's pixels.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageError, ImageFormat, ImageReader, Limits, Luma};
use rqrr::DeQRError;
use thiserror::Error;
use zeroize::Zeroizing;

use self::bitmap::Bitmap;

mod bitmap;
mod corners;
mod grid;
mod marks;

/// How many groups of marks are looked at.
const MAX_CORNERS: usize = 1024;
/// How many codes that cannot be decoded are tried.
const MAX_ILLEGIBLE: usize = 32;

/// The largest picture that is decoded, in pixels each way.
const MAX_SIDE: u32 = 16_384;

/// Why a picture gave no text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not a PNG file, or too large a one.
    #[error("the picture is not a usable PNG file; convert it first")]
    NotPng(#[source] ImageError),
    /// No QR code is in it.
    #[error("there is no QR code in the picture; show all of the code and its white border")]
    NoCode,
    /// There is a QR code in it, but it cannot be decoded.
    #[error("the QR code in the picture is not legible; take a sharper or larger one")]
    Illegible(#[source] DeQRError),
}

/// Reads the text of the QR code in a PNG file, of at most 16,384 pixels each way. Transparent parts count as white.
/// The text is wiped when dropped.
///
/// # Errors
/// [`ReadError`] with the first stage that fails.
pub fn from_png(png: &[u8]) -> Result<Zeroizing<String>, ReadError> {
    from_pixels(pixels_of_png(png).map_err(ReadError::NotPng)?)
}

/// The pixels of a PNG file, in greyscale.
pub(crate) fn pixels_of_png(png: &[u8]) -> Result<GrayImage, ImageError> {
    Ok(on_white(&decode(png)?))
}

/// Reads the text of the QR code in a decoded picture, whether it is dark on light or light on dark, of squares or of
/// dots. Of several codes one that starts with `FIDO:/` is taken. Takes time in proportion to the pixels, whatever they
/// show.
///
/// # Errors
/// [`ReadError`], but never [`ReadError::NotPng`].
pub fn from_pixels(pixels: GrayImage) -> Result<Zeroizing<String>, ReadError> {
    let mut found = Err(ReadError::NoCode);
    for look in [Bitmap::by_shade, Bitmap::by_surroundings] {
        let mut bitmap = look(&pixels);
        found = better(found, find(&bitmap));
        if !is_for_phones(&found) {
            bitmap.invert();
            found = better(found, find(&bitmap));
        }
        if is_for_phones(&found) {
            break;
        }
    }
    found
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

fn find(bitmap: &Bitmap) -> Result<Zeroizing<String>, ReadError> {
    let marks = marks::find(bitmap);
    let mut found = Err(ReadError::NoCode);
    let (mut of_codes, mut illegible) = (Vec::new(), 0);
    for corners in corners::candidates(&marks).iter().take(MAX_CORNERS) {
        if corners.marks.iter().any(|mark| of_codes.contains(&std::ptr::from_ref(*mark))) {
            continue;
        }
        let Some(grid) = corners.grid(bitmap) else { continue };
        let decoded = match grid.decode(bitmap) {
            Err(error) => grid.aligned(bitmap).and_then(|grid| grid.decode(bitmap).ok()).ok_or(error),
            decoded => decoded,
        };
        match decoded {
            Ok(_) => of_codes.extend(corners.marks.map(std::ptr::from_ref)),
            Err(_) => illegible += 1,
        }
        found = better(found, decoded.map(Zeroizing::new).map_err(ReadError::Illegible));
        if is_for_phones(&found) || illegible == MAX_ILLEGIBLE {
            break;
        }
    }
    found
}

/// A text for phones goes before any other text, that before an illegible code, and that before none.
fn better(
    found: Result<Zeroizing<String>, ReadError>,
    next: Result<Zeroizing<String>, ReadError>,
) -> Result<Zeroizing<String>, ReadError> {
    match (&found, &next) {
        (Ok(_), Ok(_)) if is_for_phones(&next) => next,
        (Err(_), Ok(_)) | (Err(ReadError::NoCode), Err(_)) => next,
        _ => found,
    }
}

fn is_for_phones(found: &Result<Zeroizing<String>, ReadError>) -> bool {
    let text = found.as_ref().ok();
    text.and_then(|text| text.get(..6)).is_some_and(|prefix| prefix.eq_ignore_ascii_case("FIDO:/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Picture;

    fn png(image: &GrayImage) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[test]
    fn a_picture_without_a_code_is_refused() {
        let blank = GrayImage::from_pixel(300, 300, Luma([255]));
        assert!(matches!(from_png(&png(&blank)), Err(ReadError::NoCode)));
        let stripes = GrayImage::from_fn(300, 300, |x, _| Luma([if x % 9 < 4 { 0 } else { 255 }]));
        assert!(matches!(from_png(&png(&stripes)), Err(ReadError::NoCode)));
    }

    #[test]
    fn what_is_not_a_png_is_refused() {
        let drawn = Picture::draw("FIDO:/123").unwrap().to_png().unwrap();
        for bytes in [&b""[..], b"FIDO:/123", &drawn[..drawn.len() / 2]] {
            assert!(matches!(from_png(bytes), Err(ReadError::NotPng(_))));
        }
    }

    #[test]
    fn a_code_under_a_coffee_stain_is_illegible() {
        let text = format!("FIDO:/{}", "0123456789".repeat(16));
        let drawn = Picture::draw(&text).unwrap().to_png().unwrap();
        let mut image = image::load_from_memory(&drawn).unwrap().into_luma8();
        // Between the corner marks, so that the code is still found.
        let (from, to) = (image.width() / 3, image.width() * 2 / 3);
        for (x, y) in (from..to).flat_map(|x| (from..to).map(move |y| (x, y))) {
            image.put_pixel(x, y, Luma([0]));
        }
        assert!(matches!(from_pixels(image), Err(ReadError::Illegible(_))));
    }

    /// Two codes side by side.
    fn pair(left: &str, right: &str) -> GrayImage {
        let [left, right] = [left, right]
            .map(|text| image::load_from_memory(&Picture::draw(text).unwrap().to_png().unwrap()));
        let (left, right) = (left.unwrap().into_luma8(), right.unwrap().into_luma8());
        let (width, height) = (left.width() + right.width(), left.height().max(right.height()));
        let mut both = GrayImage::from_pixel(width, height, Luma([255]));
        image::imageops::replace(&mut both, &left, 0, 0);
        image::imageops::replace(&mut both, &right, left.width().into(), 0);
        both
    }

    #[test]
    fn of_several_codes_that_of_the_transport_is_taken() {
        for (left, right) in [("https://example.com/", "FIDO:/123"), ("FIDO:/123", "https://example.com/")] {
            assert_eq!(*from_pixels(pair(left, right)).unwrap(), "FIDO:/123");
        }
        assert_eq!(*from_pixels(pair("a", "a")).unwrap(), "a");
    }

    #[test]
    fn light_on_dark_is_read_too() {
        let drawn = Picture::draw("FIDO:/123").unwrap().to_png().unwrap();
        let mut pixels = image::load_from_memory(&drawn).unwrap().into_luma8();
        image::imageops::invert(&mut pixels);
        assert_eq!(*from_pixels(pixels).unwrap(), "FIDO:/123");
    }
}
