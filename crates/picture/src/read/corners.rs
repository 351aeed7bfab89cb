//! Three marks that may be the corners of one QR code.

use super::{bitmap::Bitmap, grid::Grid, marks::Mark};

/// How many of the modules that every code has may be wrong, in thousandths.
const MAX_STRANGENESS: i64 = 250;

/// Three marks at a right angle. The second and third follow clockwise from the one in the angle.
pub(super) struct Corners<'m> {
    pub(super) marks: [&'m Mark; 3],
    /// How far this is from two sides of a square.
    error: i128,
}

/// All that may be corners of a code, the likeliest first.
pub(super) fn candidates(marks: &[Mark]) -> Vec<Corners<'_>> {
    let mut found = Vec::new();
    for (index, first) in marks.iter().enumerate() {
        for second in marks.iter().skip(index + 1) {
            for corner in marks {
                found.extend(Corners::new(corner, first, second));
            }
        }
    }
    found.sort_by_key(|corners: &Corners<'_>| corners.error);
    found
}

impl<'m> Corners<'m> {
    fn new(corner: &'m Mark, first: &'m Mark, second: &'m Mark) -> Option<Self> {
        let widths = [corner.width, first.width, second.width];
        if 3 * widths.into_iter().max()? > 5 * widths.into_iter().min()? {
            return None;
        }
        let ((first_x, first_y), (second_x, second_y)) = (corner.to(first), corner.to(second));
        let area = first_x * second_y - first_y * second_x;
        let (right, below) = if area > 0 { (first, second) } else { (second, first) };
        let lengths = [corner.squared_distance(first), corner.squared_distance(second)].map(i128::from);
        let [shorter, longer] = [lengths.into_iter().min()?, lengths.into_iter().max()?];
        let slant = i128::from(first_x * second_x + first_y * second_y);
        // At least 60 degrees, and the longer side at most one and a half times the shorter: a code seen askew. Marks
        // next to each other are of no code.
        let nearest = i128::from(corner.width * corner.width);
        if 4 * slant * slant > shorter * longer || 4 * longer > 9 * shorter || shorter <= nearest {
            return None;
        }
        let error = 1000 * slant * slant / (shorter * longer) + 1000 * (longer - shorter) / longer;
        Some(Self { marks: [corner, right, below], error })
    }

    /// The grid of the size that fits the picture best, if any looks like a code.
    pub(super) fn grid(&self, bitmap: &Bitmap) -> Option<Grid> {
        let version = self.version()?;
        let grids =
            [version, version - 1, version + 1].into_iter().filter(|version| (1..=40).contains(version));
        let grids = grids.map(|version| Grid::new(version, self.marks));
        let scored =
            grids.flat_map(|grid| [grid, grid.leaning(bitmap)].map(|grid| (grid.strangeness(bitmap), grid)));
        let (strangeness, grid) = scored.min_by_key(|(strangeness, _)| *strangeness)?;
        (strangeness <= MAX_STRANGENESS).then_some(grid)
    }

    /// What the width of the marks says of the version.
    fn version(&self) -> Option<i64> {
        let [corner, right, below] = self.marks;
        // In a hundredth of a module, from centre to centre.
        let length = |end: &Mark| {
            let (x, y) = corner.to(end);
            // A row crosses a mark that is turned at a slant, which is the longer way.
            let crossed = (corner.width + end.width) / 2 * x.abs().max(y.abs());
            (700 * corner.squared_distance(end)).checked_div(crossed)
        };
        let side = (length(right)? + length(below)?) / 2 + 700;
        Some((side - 1700 + 200).div_euclid(400))
    }
}

impl Mark {
    /// The way to another one.
    fn to(&self, other: &Self) -> (i64, i64) {
        (other.x - self.x, other.y - self.y)
    }

    fn squared_distance(&self, other: &Self) -> i64 {
        let (x, y) = self.to(other);
        x * x + y * y
    }
}
