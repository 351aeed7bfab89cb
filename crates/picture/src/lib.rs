//! QR pictures: drawn for a screen or a terminal, and read off a picture.
//!
//! Drawing and reading share nothing but the text: another library each, and pixels between them. The text of a code
//! of the hybrid transport is a secret, so nothing here prints it, in `Debug` or in an error.
//!
//! ```
//! use hybridge_picture::{Picture, from_png};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let png = Picture::draw("FIDO:/123")?.to_png()?;
//! assert_eq!(*from_png(&png)?, "FIDO:/123");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod draw;
mod read;
#[cfg(feature = "screen")]
pub mod screen;

pub use draw::{DrawError, Palette, Picture};
pub use image::GrayImage;
pub use read::{ReadError, from_pixels, from_png};
