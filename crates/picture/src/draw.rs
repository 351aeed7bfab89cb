//! Draws the text of a QR code as a PNG file and for the terminal.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, ImageError, Luma, codecs::png::PngEncoder};
use qrcode::{Color, EcLevel, QrCode, render::unicode::Dense1x2, types::QrError};
use thiserror::Error;

/// Pixels a module of the PNG picture measures in each direction.
const MODULE_PIXELS: u32 = 8;
/// Black on white of the 256-colour palette: unlike the sixteen basic colours, no theme changes them.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Why a text was not drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The text does not fit into a QR code.
    #[error("{characters} characters are too many for a QR code; leave something out")]
    TooLong {
        /// Length of the text.
        characters: usize,
        /// What the encoder said.
        source: QrError,
    },
    /// The PNG encoder failed.
    #[error("the picture could not be written as PNG")]
    Png(#[from] ImageError),
}

/// A drawn QR code with the quiet zone of four modules around it.
///
/// It shows a secret, so there is no `Debug`.
pub struct Picture {
    code: QrCode,
}

/// How a terminal shows light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// Sets black on white by escape sequences: right on every terminal that knows 256 colours.
    Coloured,
    /// No escape sequences; light modules are the terminal's foreground colour, which suits a dark terminal and
    /// files.
    LightOnDark,
}

impl Picture {
    /// Draws the text. `FIDO:/` and digits become an alphanumeric and a numeric segment, which makes the code
    /// small; the lowest error correction level does, since a screen has no dirt.
    ///
    /// # Errors
    /// [`DrawError::TooLong`] beyond what the largest QR code holds.
    pub fn draw(text: &str) -> Result<Self, DrawError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .map_err(|source| DrawError::TooLong { characters: text.chars().count(), source })?;
        Ok(Self { code })
    }

    /// Modules in each direction, without the quiet zone.
    pub fn modules(&self) -> usize {
        self.code.width()
    }

    /// Whether a module is dark, counted from the upper left corner without the quiet zone; what is outside is light.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = column < self.modules() && row < self.modules();
        inside && self.code[(column, row)] == Color::Dark
    }

    /// A greyscale PNG file, eight pixels a module.
    ///
    /// # Errors
    /// [`DrawError::Png`] when the encoder fails.
    pub fn to_png(&self) -> Result<Vec<u8>, DrawError> {
        let image = self.code.render::<Luma<u8>>().module_dimensions(MODULE_PIXELS, MODULE_PIXELS).build();
        let mut file = Cursor::new(Vec::new());
        let (width, height) = image.dimensions();
        PngEncoder::new(&mut file).write_image(&image, width, height, ExtendedColorType::L8)?;
        Ok(file.into_inner())
    }

    /// Lines for a terminal, two rows of modules a line, each line ending in a newline.
    pub fn to_terminal(&self, palette: Palette) -> String {
        let (dark, light, before, after) = match palette {
            Palette::Coloured => (Dense1x2::Dark, Dense1x2::Light, BLACK_ON_WHITE, RESET),
            Palette::LightOnDark => (Dense1x2::Light, Dense1x2::Dark, "", ""),
        };
        let blocks = self.code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
        blocks.lines().map(|line| format!("{before}{line}{after}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat};
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::read::{from_pixels, from_png};

    /// Modules of the quiet zone on each side.
    const QUIET: usize = 4;

    fn uri(digits: usize, rng: &mut ChaCha20Rng) -> String {
        let digits = (0..digits).map(|_| char::from(b'0' + u8::try_from(rng.next_u32() % 10).unwrap()));
        format!("FIDO:/{}", digits.collect::<String>())
    }

    #[test]
    fn what_is_drawn_can_be_read() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        // 168 digits are what Chromium shows; no client known shows more than 300.
        let lengths = std::iter::repeat_n(168, 50).chain([1, 2, 177, 255, 300, 1000]);
        for length in lengths {
            let uri = uri(length, &mut rng);
            let png = Picture::draw(&uri).unwrap().to_png().unwrap();
            assert_eq!(*from_png(&png).unwrap(), uri);
        }
    }

    #[test]
    fn the_usual_code_fits_a_small_terminal() {
        let picture = Picture::draw(&uri(168, &mut ChaCha20Rng::seed_from_u64(2))).unwrap();
        // Version 4, which needs both the alphanumeric and the numeric segment: bytes would need version 7.
        assert_eq!(picture.modules(), 33);
        let lines = picture.to_terminal(Palette::LightOnDark);
        assert_eq!(lines.lines().count(), (33 + 2 * QUIET).div_ceil(2));
        assert!(lines.lines().all(|line| line.chars().count() == 33 + 2 * QUIET));
    }

    #[test]
    fn the_file_is_a_png_with_a_quiet_zone() {
        let picture = Picture::draw(&uri(168, &mut ChaCha20Rng::seed_from_u64(3))).unwrap();
        let png = picture.to_png().unwrap();
        let image = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap().to_luma8();
        let side = u32::try_from(picture.modules() + 2 * QUIET).unwrap() * MODULE_PIXELS;
        assert_eq!(image.dimensions(), (side, side));
        let quiet = u32::try_from(QUIET).unwrap() * MODULE_PIXELS;
        let dark = image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == [0]);
        let (left, top) = dark.fold((side, side), |(x0, y0), (x, y, _)| (x0.min(x), y0.min(y)));
        assert_eq!((left, top), (quiet, quiet));
    }

    /// Photographs a terminal; `light_blocks` says whether block characters are light or dark.
    fn photograph(lines: &str, light_blocks: bool) -> GrayImage {
        let rows: Vec<Vec<char>> = lines.lines().map(|line| line.chars().collect()).collect();
        let (width, height) = (rows[0].len(), rows.len() * 2);
        let lit = |x: usize, y: usize| match (rows[y / 2][x], y % 2) {
            ('█', _) | ('▀', 0) | ('▄', 1) => light_blocks,
            (' ' | '▀' | '▄', _) => !light_blocks,
            (other, _) => panic!("unexpected character {other:?}"),
        };
        let scale = 4;
        let side = |modules: usize| u32::try_from(modules * scale).unwrap();
        GrayImage::from_fn(side(width), side(height), |x, y| {
            let at = |pixel: u32| usize::try_from(pixel).unwrap() / scale;
            Luma([if lit(at(x), at(y)) { 255 } else { 0 }])
        })
    }

    #[test]
    fn both_palettes_can_be_read_off_a_terminal() {
        let uri = uri(168, &mut ChaCha20Rng::seed_from_u64(4));
        let picture = Picture::draw(&uri).unwrap();

        let plain = picture.to_terminal(Palette::LightOnDark);
        assert_eq!(*from_pixels(photograph(&plain, true)).unwrap(), uri);

        let coloured = picture.to_terminal(Palette::Coloured);
        let painted = |line: &str| line.starts_with(BLACK_ON_WHITE) && line.ends_with(RESET);
        assert!(coloured.lines().all(painted), "every line sets and resets its colours");
        let blocks = coloured.replace(BLACK_ON_WHITE, "").replace(RESET, "");
        assert_eq!(*from_pixels(photograph(&blocks, false)).unwrap(), uri);
    }

    #[test]
    fn modules_are_those_of_the_picture() {
        let uri = uri(168, &mut ChaCha20Rng::seed_from_u64(6));
        let picture = Picture::draw(&uri).unwrap();
        let (quiet, scale) = (u32::try_from(QUIET).unwrap(), 4);
        let side = (u32::try_from(picture.modules()).unwrap() + 2 * quiet) * scale;
        let pixels = GrayImage::from_fn(side, side, |x, y| {
            // To the left of and above the code, the numbers become huge ones.
            let at = |pixel: u32| usize::try_from((pixel / scale).wrapping_sub(quiet)).unwrap();
            Luma([if picture.is_dark(at(x), at(y)) { 0 } else { 255 }])
        });
        assert_eq!(*from_pixels(pixels).unwrap(), uri);
    }

    #[test]
    fn a_text_beyond_the_largest_code_is_refused() {
        let uri = uri(7100, &mut ChaCha20Rng::seed_from_u64(5));
        let Err(DrawError::TooLong { characters: 7106, .. }) = Picture::draw(&uri) else {
            panic!("drawn");
        };
    }
}
