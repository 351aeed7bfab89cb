//! The code: the secret text, and what is drawn of it.

use std::fmt;

use hybridge_picture::{DrawError, Picture};
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// The text of a code, which lets whoever reads it pose as the phone. Wiped when dropped; `Debug` shows none of it.
pub struct CodeText(Zeroizing<String>);

impl CodeText {
    /// What is drawn.
    ///
    /// # Errors
    /// When the text is too long for a QR code.
    pub fn draw(&self) -> Result<Modules, DrawError> {
        let picture = Picture::draw(&self.0)?;
        let side = picture.modules();
        let fields = (0..side).flat_map(|row| (0..side).map(move |column| (column, row)));
        let dark = fields.map(|(column, row)| picture.is_dark(column, row)).collect();
        // The largest code has 177 modules.
        Ok(Modules { side: u16::try_from(side).unwrap_or(u16::MAX), dark: Zeroizing::new(dark) })
    }
}

impl fmt::Debug for CodeText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CodeText(redacted)")
    }
}

impl<'de> Deserialize<'de> for CodeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Copy)
    }
}

/// Takes the text out of the line without a copy in between.
struct Copy;

impl de::Visitor<'_> for Copy {
    type Value = CodeText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text of a code")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<CodeText, E> {
        Ok(CodeText(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<CodeText, E> {
        Ok(CodeText(Zeroizing::new(text)))
    }
}

/// The dark and light modules of a code, without a quiet zone. As secret as its text: wiped when dropped, not in `Debug`.
pub struct Modules {
    side: u16,
    dark: Zeroizing<Vec<bool>>,
}

impl Modules {
    /// Modules in each direction.
    pub fn side(&self) -> u16 {
        self.side
    }

    /// Horizontal runs of dark modules: row, first column, length.
    pub fn runs(&self) -> impl Iterator<Item = (u16, u16, u16)> {
        let rows = self.dark.chunks(usize::from(self.side).max(1));
        rows.zip(0..self.side).flat_map(|(row, number)| {
            let starts = (0..self.side).filter(move |column| at(row, *column) && !before(row, *column));
            starts.map(move |column| (number, column, length(row, column)))
        })
    }
}

impl fmt::Debug for Modules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Modules(redacted)")
    }
}

fn at(row: &[bool], column: u16) -> bool {
    row.get(usize::from(column)).copied().unwrap_or(false)
}

fn before(row: &[bool], column: u16) -> bool {
    column.checked_sub(1).is_some_and(|column| at(row, column))
}

fn length(row: &[bool], column: u16) -> u16 {
    let dark = row.iter().skip(usize::from(column)).take_while(|dark| **dark);
    u16::try_from(dark.count()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use hybridge_picture::{GrayImage, from_pixels};

    use super::*;

    #[test]
    fn runs_are_the_code() {
        let text = "FIDO:/0123456789012345678901234567890123456789";
        let modules = CodeText(Zeroizing::new(text.to_owned())).draw().unwrap();
        let side = u32::from(modules.side()) + 8;
        let mut pixels = GrayImage::from_pixel(side * 3, side * 3, image::Luma([255]));
        for (row, column, length) in modules.runs() {
            for x in (u32::from(column) + 4) * 3..(u32::from(column + length) + 4) * 3 {
                for y in (u32::from(row) + 4) * 3..(u32::from(row) + 5) * 3 {
                    pixels.put_pixel(x, y, image::Luma([0]));
                }
            }
        }
        assert_eq!(*from_pixels(pixels).unwrap(), text);
    }

    #[test]
    fn debug_shows_nothing() {
        let text = CodeText(Zeroizing::new("FIDO:/1234".to_owned()));
        let shown = format!("{text:?} {:?}", text.draw().unwrap());
        assert_eq!(shown, "CodeText(redacted) Modules(redacted)");
    }
}
