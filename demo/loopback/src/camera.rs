//! The phone's eye: reads the text of a QR code out of a picture's pixels.
//!
//! It shares nothing with the code that draws: another library, and a file between them.

use std::io::Cursor;

use image::{GrayImage, ImageError, ImageFormat, ImageReader, Limits};
use rqrr::{DeQRError, PreparedImage};
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest picture that is decoded, in pixels each way.
const MAX_SIDE: u32 = 8192;

/// Why a picture gave no text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not a PNG file, or too large a one.
    #[error("this is not a readable PNG picture; take it again")]
    NotPng(#[source] ImageError),
    /// No QR code is in it.
    #[error("there is no QR code in the picture; show all of the code and its white border")]
    NoCode,
    /// There is a QR code in it, but it cannot be decoded.
    #[error("the QR code in the picture is not legible; take a sharper one")]
    Illegible(#[source] DeQRError),
}

/// Reads the first QR code of a PNG file. The text is a secret and wiped when dropped.
///
/// # Errors
/// [`ReadError`] with the first stage that fails.
pub fn read_png(png: &[u8]) -> Result<Zeroizing<String>, ReadError> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    read_image(reader.decode().map_err(ReadError::NotPng)?.into_luma8())
}

/// Reads the first QR code of a decoded picture.
///
/// # Errors
/// [`ReadError`], but never [`ReadError::NotPng`].
pub fn read_image(pixels: GrayImage) -> Result<Zeroizing<String>, ReadError> {
    let mut illegible = None;
    for grid in PreparedImage::prepare(pixels).detect_grids() {
        match grid.decode() {
            Ok((_, text)) => return Ok(Zeroizing::new(text)),
            Err(error) => illegible = Some(error),
        }
    }
    Err(illegible.map_or(ReadError::NoCode, ReadError::Illegible))
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::picture::Picture;

    fn png(image: &GrayImage) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[test]
    fn a_picture_without_a_code_is_refused() {
        let blank = GrayImage::from_pixel(300, 300, Luma([255]));
        assert!(matches!(read_png(&png(&blank)), Err(ReadError::NoCode)));
        let stripes = GrayImage::from_fn(300, 300, |x, _| Luma([if x % 9 < 4 { 0 } else { 255 }]));
        assert!(matches!(read_png(&png(&stripes)), Err(ReadError::NoCode)));
    }

    #[test]
    fn what_is_not_a_png_is_refused() {
        let drawn = Picture::draw("FIDO:/123").unwrap().to_png().unwrap();
        for bytes in [&b""[..], b"FIDO:/123", &drawn[..drawn.len() / 2]] {
            assert!(matches!(read_png(bytes), Err(ReadError::NotPng(_))));
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
        assert!(matches!(read_image(image), Err(ReadError::Illegible(_))));
    }
}
