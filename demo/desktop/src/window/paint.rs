//! Turns shapes into pixels, without a graphics processor.

use egui::{Context, FullOutput};
use egui_software_backend::{BufferMutRef, ColorFieldOrder, EguiSoftwareRender};

/// Pixels of a window, drawn anew each time: nothing of an earlier picture is kept.
pub struct Canvas {
    renderer: EguiSoftwareRender,
    /// Blue, green, red, opacity.
    pixels: Vec<[u8; 4]>,
    width: usize,
    height: usize,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            // Its cache would keep pictures of the code.
            renderer: EguiSoftwareRender::new(ColorFieldOrder::Bgra).with_caching(false),
            pixels: Vec::new(),
            width: 0,
            height: 0,
        }
    }
}

impl Canvas {
    /// Draws what [`Context::run_ui`] has returned into this many pixels. Has to be called for each output in turn, since
    /// textures come in parts.
    pub fn draw(&mut self, ctx: &Context, output: &mut FullOutput, width: usize, height: usize) {
        (self.width, self.height) = (width.max(1), height.max(1));
        self.pixels.clear();
        self.pixels.resize(self.width.saturating_mul(self.height), [0, 0, 0, 255]);
        let shapes = std::mem::take(&mut output.shapes);
        let primitives = ctx.tessellate(shapes, output.pixels_per_point);
        let mut target = BufferMutRef::new(&mut self.pixels, self.width, self.height);
        self.renderer.render(&mut target, &primitives, &output.textures_delta, output.pixels_per_point);
    }

    /// The pixels, row by row from the top, as 0x00RRGGBB.
    pub fn pixels(&self) -> impl Iterator<Item = u32> {
        self.pixels.iter().map(|[blue, green, red, _]| u32::from_be_bytes([0, *red, *green, *blue]))
    }
}
