//! The marks in three corners of a QR code: a square in a ring.

use std::collections::BTreeMap;

use super::bitmap::Bitmap;

/// Parts of a pixel in which places are measured.
pub(super) const PARTS: i64 = 16;
/// How many marks are looked at further: those that most rows go through.
const MAX_MARKS: usize = 64;
/// How many finds these come from; one mark may have been found at several neighbouring places.
const MAX_FINDS: usize = 512;

/// A mark. Measures are in parts of a pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// The centre.
    pub(super) x: i64,
    pub(super) y: i64,
    /// All seven modules, along the row.
    pub(super) width: i64,
    /// The rows in which it was found.
    rows: i64,
}

/// Finds marks, the surest ones first. Takes time in proportion to the pixels.
pub(super) fn find(bitmap: &Bitmap) -> Vec<Mark> {
    let mut finds = BTreeMap::new();
    for (y, row) in (0..).zip(bitmap.rows()) {
        find_in_row(bitmap, y, row, &mut finds);
    }
    let mut finds: Vec<Mark> = finds.into_values().map(Sum::mean).collect();
    finds.sort_by_key(|mark| std::cmp::Reverse(mark.rows));
    let mut marks: Vec<Mark> = Vec::new();
    for find in finds.into_iter().take(MAX_FINDS) {
        let reach = find.width / 4;
        let same = |mark: &Mark| (mark.x - find.x).abs() < reach && (mark.y - find.y).abs() < reach;
        if marks.len() < MAX_MARKS && !marks.iter().any(same) {
            marks.push(find);
        }
    }
    marks
}

/// Finds of one mark, added up.
#[derive(Default)]
struct Sum {
    x: i64,
    y: i64,
    width: i64,
    rows: i64,
}

impl Sum {
    fn mean(self) -> Mark {
        let rows = self.rows.max(1);
        Mark { x: self.x / rows, y: self.y / rows, width: self.width / rows, rows }
    }
}

/// The row goes through the middle of a mark where dark, light, dark, light, dark measure 1, 1, 3, 1, 1.
fn find_in_row(bitmap: &Bitmap, y: i64, row: &[bool], finds: &mut BTreeMap<(i64, i64), Sum>) {
    let mut runs = [0_i64; 5];
    let mut x = 0;
    for run in row.chunk_by(|left, right| left == right) {
        let length = i64::try_from(run.len()).unwrap_or_default();
        runs.rotate_left(1);
        if let Some(last) = runs.last_mut() {
            *last = length;
        }
        x += length;
        if run.first() == Some(&true)
            && let Some(width) = measure(runs)
            && let [.., middle, light, dark] = runs
            && let Some((x, y, width)) = confirm(bitmap, x - dark - light - (middle + 1) / 2, y, width)
        {
            let cell = 4 * PARTS;
            let sum = finds.entry((x / cell, y / cell)).or_default();
            *sum = Sum { x: sum.x + x, y: sum.y + y, width: sum.width + width, rows: sum.rows + 1 };
        }
    }
}

/// The length of five runs that measure about 1, 1, 3, 1, 1.
fn measure(runs: [i64; 5]) -> Option<i64> {
    let total: i64 = runs.iter().sum();
    let fits = runs.into_iter().zip([1, 1, 3, 1, 1]);
    let mut fits = fits.map(|(run, share)| run > 0 && (7 * run - share * total).abs() * 2 <= share * total);
    fits.all(|fits| fits).then_some(total)
}

/// Looks whether what is a mark along the row is one along the column as well. Gives the centre and the width.
fn confirm(bitmap: &Bitmap, x: i64, y: i64, width: i64) -> Option<(i64, i64, i64)> {
    let (middle_y, height) = cross(bitmap, (x, y), (0, 1), width)?;
    if (height - width).abs() * 3 > height.max(width) {
        return None;
    }
    let (middle_x, width) = cross(bitmap, (x, y + middle_y.div_euclid(PARTS)), (1, 0), width)?;
    Some((x * PARTS + middle_x, y * PARTS + middle_y, width * PARTS))
}

/// Measures a mark from a pixel within its square to both sides. Gives the middle of the square, in parts of a pixel
/// from the left or upper edge of that pixel, and the length of all.
fn cross(bitmap: &Bitmap, from: (i64, i64), (dx, dy): (i64, i64), limit: i64) -> Option<(i64, i64)> {
    let [before, light_before, dark_before] = arm(bitmap, from, (-dx, -dy), limit)?;
    let [after, light_after, dark_after] = arm(bitmap, from, (dx, dy), limit)?;
    // The pixel itself is in both arms.
    let length = measure([dark_before, light_before, before + after - 1, light_after, dark_after])?;
    Some(((after - before + 1) * PARTS / 2, length))
}

/// Pixels of the square, the light between and the ring, in one direction. None of them is longer than half the limit.
fn arm(bitmap: &Bitmap, (x, y): (i64, i64), (dx, dy): (i64, i64), limit: i64) -> Option<[i64; 3]> {
    let mut at = 0;
    let mut run = |dark: bool| {
        let start = at;
        while bitmap.is_dark(x + at * dx, y + at * dy) == dark {
            at += 1;
            if (at - start) * 2 > limit {
                return None;
            }
        }
        Some(at - start)
    };
    Some([run(true)?, run(false)?, run(true)?])
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;

    /// Marks with their upper left corners here, of this many pixels a module.
    fn picture(side: u32, module: u32, corners: &[(u32, u32)]) -> Bitmap {
        let dark = |x: u32, y: u32| {
            corners.iter().any(|(left, top)| {
                let module =
                    |at: u32, from: u32| at.checked_sub(from).map(|at| at / module).filter(|at| *at < 7);
                let (Some(u), Some(v)) = (module(x, *left), module(y, *top)) else { return false };
                u.abs_diff(3).max(v.abs_diff(3)) != 2
            })
        };
        Bitmap::by_shade(&GrayImage::from_fn(side, side, |x, y| Luma([if dark(x, y) { 0 } else { 255 }])))
    }

    #[test]
    fn the_centre_of_each_mark_is_found() {
        for module in 1..12 {
            let corners = [(0, 0), (9 * module + 3, 5), (7, 10 * module)];
            let mut found: Vec<_> = find(&picture(20 * module, module, &corners))
                .into_iter()
                .map(|mark| (mark.x, mark.y, mark.width))
                .collect();
            found.sort_unstable();
            let middle = |corner: u32| i64::from(2 * corner + 7 * module) * PARTS / 2;
            let all = i64::from(7 * module) * PARTS;
            let mut expected = corners.map(|(x, y)| (middle(x), middle(y), all));
            expected.sort_unstable();
            assert_eq!(found, expected, "{module} pixels a module");
        }
    }

    #[test]
    fn what_is_a_mark_in_one_direction_only_is_none() {
        let stripes =
            GrayImage::from_fn(200, 200, |x, _| Luma([if [1, 5].contains(&(x % 8)) { 255 } else { 0 }]));
        assert!(find(&Bitmap::by_shade(&stripes)).is_empty());
        let bars =
            GrayImage::from_fn(200, 200, |_, y| Luma([if [1, 5].contains(&(y % 8)) { 255 } else { 0 }]));
        assert!(find(&Bitmap::by_shade(&bars)).is_empty());
    }

    #[test]
    fn a_picture_full_of_marks_gives_a_limited_number() {
        let corners: Vec<_> = (0..20).flat_map(|x| (0..20).map(move |y| (x * 10, y * 10))).collect();
        assert_eq!(find(&picture(200, 1, &corners)).len(), MAX_MARKS);
    }
}
