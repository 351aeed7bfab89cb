//! The root window of an X server (X Window System Protocol, X Version 11, request GetImage).

use std::{fmt, sync::Arc};

use image::{GrayImage, Luma};
use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt, Format, ImageFormat, ImageOrder, Setup, Visualtype},
    rust_connection::RustConnection,
};

use super::ScreenError;

/// A display of an X server. All its screens' windows that can be seen are in its pictures.
#[derive(Clone)]
pub struct X11Screen {
    connection: Arc<RustConnection>,
    screen: usize,
}

impl X11Screen {
    /// Connects to a display, for example `:7`, or to that of the environment variable `DISPLAY`.
    ///
    /// # Errors
    /// [`ScreenError::X11`].
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        let (connection, screen) = RustConnection::connect(display).map_err(broken)?;
        Ok(Self { connection: Arc::new(connection), screen })
    }

    /// A picture of the root window and all that is shown on it.
    ///
    /// # Errors
    /// [`ScreenError::X11`], or [`ScreenError::PixelFormat`].
    ///
    /// # Cancel safety
    /// Dropping the future loses the picture.
    pub async fn capture(&self) -> Result<GrayImage, ScreenError> {
        let screen = self.clone();
        // The protocol library waits for the server's answer, which takes some milliseconds and megabytes.
        tokio::task::spawn_blocking(move || screen.grab()).await.map_err(broken)?
    }

    fn grab(&self) -> Result<GrayImage, ScreenError> {
        let setup = self.connection.setup();
        let root = setup.roots.get(self.screen).ok_or(ScreenError::NoScreen)?.root;
        // The size changes when a monitor comes or goes.
        let size = self.connection.get_geometry(root).map_err(broken)?.reply().map_err(broken)?;
        let (width, height) = (size.width, size.height);
        let request = self.connection.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, u32::MAX);
        let image = request.map_err(broken)?.reply().map_err(broken)?;
        Layout::of(setup, image.depth, image.visual)
            .and_then(|layout| layout.grey(&image.data, width.into(), height.into()))
            .ok_or(ScreenError::PixelFormat { depth: image.depth })
    }
}

impl fmt::Debug for X11Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X11Screen").field("screen", &self.screen).finish_non_exhaustive()
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> ScreenError {
    ScreenError::X11(Box::new(error))
}

/// How pixels lie in memory.
#[derive(Debug, Clone, Copy)]
struct Layout {
    bytes_per_pixel: usize,
    /// Lines begin at multiples of this many bytes.
    line_unit: usize,
    order: ImageOrder,
    masks: [u32; 3],
}

impl Layout {
    fn of(setup: &Setup, depth: u8, visual: u32) -> Option<Self> {
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth)?;
        let visuals =
            setup.roots.iter().flat_map(|root| &root.allowed_depths).flat_map(|depth| &depth.visuals);
        let visual = visuals.into_iter().find(|found| found.visual_id == visual)?;
        Self::new(format, setup.image_byte_order, visual)
    }

    /// `None` for what no desktop of this century has: pixels that are no whole bytes, or colours by number.
    fn new(format: &Format, order: ImageOrder, visual: &Visualtype) -> Option<Self> {
        let masks = [visual.red_mask, visual.green_mask, visual.blue_mask];
        let usable = matches!(format.bits_per_pixel, 16 | 24 | 32)
            && format.scanline_pad >= 8
            && masks.iter().all(|mask| *mask != 0);
        usable.then_some(Self {
            bytes_per_pixel: usize::from(format.bits_per_pixel / 8),
            line_unit: usize::from(format.scanline_pad / 8),
            order,
            masks,
        })
    }

    /// Greyscale. `None` if the data is too short for the size.
    fn grey(&self, data: &[u8], width: u32, height: u32) -> Option<GrayImage> {
        let row = usize::try_from(width).ok()?.checked_mul(self.bytes_per_pixel)?;
        let line = row.checked_next_multiple_of(self.line_unit)?;
        let size = line.checked_mul(usize::try_from(height).ok()?)?;
        if row == 0 || data.len() < size {
            return None;
        }
        let mut grey = GrayImage::new(width, height);
        for (line, out) in data.chunks_exact(line).zip(grey.rows_mut()) {
            for (pixel, out) in line.chunks_exact(self.bytes_per_pixel).zip(out) {
                *out = Luma([self.lightness(pixel)]);
            }
        }
        Some(grey)
    }

    /// The mean of the three colours, which does for black and white.
    fn lightness(&self, pixel: &[u8]) -> u8 {
        let push = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        let value = match self.order {
            ImageOrder::MSB_FIRST => pixel.iter().fold(0, push),
            _ => pixel.iter().rev().fold(0, push),
        };
        let parts = self.masks.map(|mask| {
            let (shift, most) = (mask.trailing_zeros(), mask >> mask.trailing_zeros());
            let part = (value & mask) >> shift;
            u32::try_from(u64::from(part) * 255 / u64::from(most.max(1))).unwrap_or(255)
        });
        u8::try_from(parts.iter().sum::<u32>() / 3).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(bits: u8, pad: u8, order: ImageOrder, masks: [u32; 3]) -> Option<Layout> {
        let format = Format { depth: 24, bits_per_pixel: bits, scanline_pad: pad };
        let [red_mask, green_mask, blue_mask] = masks;
        Layout::new(&format, order, &Visualtype { red_mask, green_mask, blue_mask, ..Visualtype::default() })
    }

    const RGB: [u32; 3] = [0xFF_0000, 0xFF00, 0xFF];

    #[test]
    fn pixels_are_read_in_the_servers_order() {
        let bytes = [0x30, 0x60, 0x90, 0xFF, 0xFF, 0xFF, 0xFF, 0x00];
        for (order, first) in [(ImageOrder::LSB_FIRST, 0x60), (ImageOrder::MSB_FIRST, 0xA5)] {
            let grey = layout(32, 32, order, RGB).unwrap().grey(&bytes, 2, 1).unwrap();
            assert_eq!(grey.get_pixel(0, 0).0, [first], "{order:?}");
        }
        let lsb = layout(32, 32, ImageOrder::LSB_FIRST, RGB).unwrap();
        assert_eq!(lsb.grey(&bytes, 2, 1).unwrap().get_pixel(1, 0).0, [255]);
    }

    #[test]
    fn lines_are_padded() {
        let layout = layout(24, 32, ImageOrder::LSB_FIRST, RGB).unwrap();
        let line = [255, 255, 255, 0, 0, 0, 7, 7];
        let grey = layout.grey(&line.repeat(2), 2, 2).unwrap();
        assert_eq!(grey.into_raw(), [255, 0, 255, 0]);
        assert!(layout.grey(&line, 2, 2).is_none(), "half of the lines");
    }

    #[test]
    fn fewer_bits_are_stretched() {
        let masks = [0xF800, 0x07E0, 0x001F];
        let layout = layout(16, 32, ImageOrder::LSB_FIRST, masks).unwrap();
        assert_eq!(layout.grey(&[0xFF, 0xFF, 0, 0], 2, 1).unwrap().into_raw(), [255, 0]);
    }

    #[test]
    fn unknown_forms_are_refused() {
        assert!(layout(8, 32, ImageOrder::LSB_FIRST, RGB).is_none());
        assert!(layout(32, 32, ImageOrder::LSB_FIRST, [0, 0, 0]).is_none());
        assert!(layout(32, 0, ImageOrder::LSB_FIRST, RGB).is_none());
    }
}
