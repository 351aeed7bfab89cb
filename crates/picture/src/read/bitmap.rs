//! A picture in black and white.

use image::GrayImage;

/// Which pixels of a picture are dark.
pub(super) struct Bitmap {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

impl Bitmap {
    /// Dark is the darker half of all shades, as on a screen.
    pub(super) fn by_shade(pixels: &GrayImage) -> Self {
        let (width, height) = dimensions(pixels);
        Self { width, height, dark: pixels.as_raw().iter().map(|shade| *shade < 128).collect() }
    }

    /// Dark is what is darker than its surroundings, as in a photograph with a shadow on it.
    pub(super) fn by_surroundings(pixels: &GrayImage) -> Self {
        let (width, height) = dimensions(pixels);
        let reach = (width.max(height) / 16).max(16);
        let row = |y: usize| pixels.as_raw().chunks_exact(width.max(1)).nth(y).unwrap_or_default();
        let mut dark = Vec::with_capacity(pixels.as_raw().len());
        // Of each column, the part that is in reach of the row.
        let mut columns = vec![0_u32; width];
        let mut rows = 0;
        for y in 0..height {
            while rows < height.min(y + reach + 1) {
                columns.iter_mut().zip(row(rows)).for_each(|(sum, shade)| *sum += u32::from(*shade));
                rows += 1;
            }
            if let Some(above) = y.checked_sub(reach + 1) {
                columns.iter_mut().zip(row(above)).for_each(|(sum, shade)| *sum -= u32::from(*shade));
            }
            darker(row(y), &columns, rows - y.saturating_sub(reach), reach, &mut dark);
        }
        Self { width, height, dark }
    }

    /// Makes what is dark light, and the reverse.
    pub(super) fn invert(&mut self) {
        self.dark.iter_mut().for_each(|dark| *dark = !*dark);
    }

    /// From the top to the bottom.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks_exact(self.width.max(1))
    }

    /// Whether a pixel is dark. Around the picture everything is light.
    pub(super) fn is_dark(&self, x: i64, y: i64) -> bool {
        let inside = |at: i64, end: usize| usize::try_from(at).ok().filter(|at| *at < end);
        let (Some(x), Some(y)) = (inside(x, self.width), inside(y, self.height)) else { return false };
        self.dark.get(y * self.width + x).copied().unwrap_or_default()
    }
}

fn dimensions(pixels: &GrayImage) -> (usize, usize) {
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or_default();
    (side(pixels.width()), side(pixels.height()))
}

/// Compares each pixel of a row with the mean of the window around it, which is `rows` high.
fn darker(row: &[u8], columns: &[u32], rows: usize, reach: usize, dark: &mut Vec<bool>) {
    let entering = columns.iter().skip(reach + 1).map(Some).chain(std::iter::repeat(None));
    let leaving = std::iter::repeat_n(None, reach).chain(columns.iter().map(Some));
    let sum = |columns: &[u32]| columns.iter().map(|sum| u64::from(*sum)).sum::<u64>();
    let first = columns.len().min(reach + 1);
    let (mut window, mut width) = (columns.get(..first).map(sum).unwrap_or_default(), first);
    for ((shade, entering), leaving) in row.iter().zip(entering).zip(leaving) {
        let area = u64::try_from(rows * width).unwrap_or(u64::MAX);
        // A little darker is not dark: plain ground has no marks on it.
        dark.push(u64::from(*shade) * area * 8 < window * 7);
        if let Some(column) = entering {
            window += u64::from(*column);
            width += 1;
        }
        if let Some(column) = leaving {
            window -= u64::from(*column);
            width -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;

    /// The mean of what is in reach, summed up pixel by pixel.
    fn expected(pixels: &GrayImage, reach: u32, x: u32, y: u32) -> bool {
        let around = |at: u32, end: u32| at.saturating_sub(reach)..(at + reach + 1).min(end);
        let (mut sum, mut area) = (0, 0);
        for v in around(y, pixels.height()) {
            for u in around(x, pixels.width()) {
                sum += u64::from(pixels.get_pixel(u, v).0[0]);
                area += 1;
            }
        }
        u64::from(pixels.get_pixel(x, y).0[0]) * area * 8 < sum * 7
    }

    #[test]
    fn surroundings_are_a_window_cut_at_the_edges() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for (width, height) in [(1, 1), (1, 40), (40, 1), (16, 17), (33, 34), (70, 50), (50, 70)] {
            let pixels = GrayImage::from_fn(width, height, |_, _| Luma([rng.next_u32().to_le_bytes()[0]]));
            let bitmap = Bitmap::by_surroundings(&pixels);
            for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
                let dark = bitmap.is_dark(x.into(), y.into());
                assert_eq!(dark, expected(&pixels, 16, x, y), "{x}, {y} of {width}x{height}");
            }
        }
    }

    #[test]
    fn around_the_picture_all_is_light() {
        let bitmap = Bitmap::by_shade(&GrayImage::from_pixel(3, 2, Luma([0])));
        assert!(bitmap.is_dark(0, 0) && bitmap.is_dark(2, 1));
        for (x, y) in [(-1, 0), (0, -1), (3, 0), (0, 2), (i64::MIN, i64::MAX)] {
            assert!(!bitmap.is_dark(x, y));
        }
        assert_eq!(Bitmap::by_shade(&GrayImage::new(0, 0)).rows().count(), 0);
        assert_eq!(Bitmap::by_surroundings(&GrayImage::new(0, 5)).rows().count(), 0);
    }
}
