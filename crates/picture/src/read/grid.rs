//! Where the modules of a QR code are.

use rqrr::{DeQRError, SimpleGrid};

use super::{
    bitmap::Bitmap,
    marks::{Mark, PARTS},
};

/// The weight of a corner that is neither nearer nor farther than the first.
const EVEN: i64 = 1 << 16;
/// To how many thirty-seconds the far end of a line may be nearer or farther than the near end.
const LEAN_STEPS: i64 = 12;
/// How far around its place the alignment mark is looked for, in tenths of a module.
const ALIGNMENT_REACH: i64 = 60;
/// Of 25 modules of the alignment mark, how many have to be as they are to be.
const ALIGNMENT_MIN: usize = 22;

/// A square of modules as it lies in the picture, found by the marks in three of its corners. Places within it are
/// counted in tenths of a module from the upper left.
///
/// All is reckoned in whole numbers: a place is the mean of the three marks' centres, weighted by how near it is to each
/// and by the perspective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Modules each way.
    size: i64,
    corner: (i64, i64),
    right: (i64, i64),
    below: (i64, i64),
    /// Weights of `right` and `below`; they differ from [`EVEN`] where the picture was taken at an angle.
    weights: (i64, i64),
}

impl Grid {
    /// A grid of a version, 1 to 40, seen from straight above.
    pub(super) fn new(version: i64, [corner, right, below]: [&Mark; 3]) -> Self {
        let place = |mark: &Mark| (mark.x, mark.y);
        Self {
            size: 17 + 4 * version.clamp(1, 40),
            corner: place(corner),
            right: place(right),
            below: place(below),
            weights: (EVEN, EVEN),
        }
    }

    /// The grid in the perspective that fits the dotted lines between the marks best.
    pub(super) fn leaning(&self, bitmap: &Bitmap) -> Self {
        let weights = || (-LEAN_STEPS..=LEAN_STEPS).map(|step| EVEN + step * EVEN / 32);
        let upright = |weight: &i64| (weight - EVEN).abs();
        let below = self.weights.1;
        let along = |right: &i64| Self { weights: (*right, below), ..*self }.strangeness_along(bitmap);
        let right = weights().min_by_key(|right| (along(right), upright(right))).unwrap_or(EVEN);
        let down = |below: &i64| Self { weights: (right, *below), ..*self }.strangeness_down(bitmap);
        let below = weights().min_by_key(|below| (down(below), upright(below))).unwrap_or(EVEN);
        Self { weights: (right, below), ..*self }
    }

    /// How many of the modules that every code has are not as they are to be, in thousandths: in the marks, or in the
    /// dotted lines between them, whichever is more.
    pub(super) fn strangeness(&self, bitmap: &Bitmap) -> i64 {
        let far = self.size - 7;
        let squares = (0..7).flat_map(|u| (0..7).map(move |v| (u, v)));
        let marks = squares.flat_map(|(u, v)| {
            let dark = (u - 3_i64).abs().max((v - 3_i64).abs()) != 2;
            [(u, v, dark), (u + far, v, dark), (u, v + far, dark)]
        });
        let lines = (self.strangeness_along(bitmap) + self.strangeness_down(bitmap)) / 2;
        self.strange(bitmap, marks).max(lines)
    }

    fn strangeness_along(&self, bitmap: &Bitmap) -> i64 {
        self.strange(bitmap, (8..self.size - 8).map(|at| (at, 6, at % 2 == 0)))
    }

    fn strangeness_down(&self, bitmap: &Bitmap) -> i64 {
        self.strange(bitmap, (8..self.size - 8).map(|at| (6, at, at % 2 == 0)))
    }

    /// How many of these modules are not as dark as they are to be, in thousandths.
    fn strange(&self, bitmap: &Bitmap, modules: impl Iterator<Item = (i64, i64, bool)>) -> i64 {
        let (mut all, mut strange) = (0, 0);
        for (u, v, dark) in modules {
            all += 1;
            strange += i64::from(self.is_dark_at(bitmap, 10 * u + 5, 10 * v + 5) != dark);
        }
        strange * 1000 / all.max(1)
    }

    /// Reads the code.
    pub(super) fn decode(&self, bitmap: &Bitmap) -> Result<String, DeQRError> {
        let module = |at: usize| i64::try_from(at).unwrap_or_default();
        let size = usize::try_from(self.size).unwrap_or_default();
        let modules = SimpleGrid::from_func(size, |u, v| self.is_dark(bitmap, module(u), module(v)));
        rqrr::Grid::new(modules).decode().map(|(_, text)| text)
    }

    /// The grid in perspective, in which the alignment mark near the fourth corner is where the picture has it. None where
    /// it is not found; the smallest codes have none.
    pub(super) fn aligned(&self, bitmap: &Bitmap) -> Option<Self> {
        if self.size < 25 {
            return None;
        }
        let expected = 10 * self.size - 65;
        let steps = || (-ALIGNMENT_REACH..=ALIGNMENT_REACH).step_by(5);
        let places = steps().flat_map(|u| steps().map(move |v| (u, v)));
        let scored = places.map(|(u, v)| (self.alignment(bitmap, expected + u, expected + v), u, v));
        let scored: Vec<_> = scored.filter(|(score, ..)| *score >= ALIGNMENT_MIN).collect();
        let best = scored.iter().max_by_key(|(score, u, v)| (*score, -(u * u + v * v)))?;
        let near = |other: &&(usize, i64, i64)| {
            other.0 == best.0 && (other.1 - best.1).abs() <= 10 && (other.2 - best.2).abs() <= 10
        };
        let (count, u, v) =
            scored.iter().filter(near).fold((0, 0, 0), |(n, u, v), find| (n + 1, u + find.1, v + find.2));
        let (x, y) = self.place(expected + u / count, expected + v / count)?;
        self.through(x, y)
    }

    /// How many modules around a place are as in an alignment mark.
    fn alignment(&self, bitmap: &Bitmap, u: i64, v: i64) -> usize {
        let modules = (-2..=2_i64).flat_map(|du| (-2..=2_i64).map(move |dv| (du, dv)));
        let as_expected = |(du, dv): &(i64, i64)| {
            let dark = du.abs().max(dv.abs()) != 1;
            self.is_dark_at(bitmap, u + 10 * du, v + 10 * dv) == dark
        };
        modules.filter(as_expected).count()
    }

    /// The grid in the perspective that puts the alignment mark's centre here, in parts of a pixel.
    fn through(&self, x: i64, y: i64) -> Option<Self> {
        let from_corner = |(to_x, to_y): (i64, i64)| (to_x - self.corner.0, to_y - self.corner.1);
        let ((right_x, right_y), (below_x, below_y)) = (from_corner(self.right), from_corner(self.below));
        let (x, y) = from_corner((x, y));
        // The place as a sum of parts of the two sides, and what is left for the corner itself.
        let whole = i128::from(right_x * below_y - right_y * below_x);
        let along = i128::from(x * below_y - y * below_x);
        let down = i128::from(right_x * y - right_y * x);
        let rest = whole - along - down;
        let weight = |part: i128| {
            let weight = part * i128::from(EVEN * (13 - self.size));
            weight
                .checked_div(rest * i128::from(self.size - 10))
                .and_then(|weight| i64::try_from(weight).ok())
        };
        let sane = |weight: &i64| (EVEN / 8..EVEN * 8).contains(weight);
        let weights = (weight(along).filter(sane)?, weight(down).filter(sane)?);
        Some(Self { weights, ..*self })
    }

    /// Whether most of a module's middle is dark.
    fn is_dark(&self, bitmap: &Bitmap, u: i64, v: i64) -> bool {
        let around = [3, 5, 7];
        let places = around.into_iter().flat_map(|du| around.map(|dv| (10 * u + du, 10 * v + dv)));
        places.filter(|(u, v)| self.is_dark_at(bitmap, *u, *v)).count() > 4
    }

    fn is_dark_at(&self, bitmap: &Bitmap, u: i64, v: i64) -> bool {
        let place = self.place(u, v);
        place.is_some_and(|(x, y)| bitmap.is_dark(x.div_euclid(PARTS), y.div_euclid(PARTS)))
    }

    /// A place in the picture, in parts of a pixel. None behind the horizon.
    fn place(&self, u: i64, v: i64) -> Option<(i64, i64)> {
        // The marks' centres are three and a half modules from the edges.
        let (u, v, side) = (u - 35, v - 35, 10 * (self.size - 7));
        let [corner, right, below] = [(side - u - v) * EVEN, u * self.weights.0, v * self.weights.1];
        let sum = corner + right + below;
        let mean = |at_corner: i64, at_right: i64, at_below: i64| {
            (at_corner * corner + at_right * right + at_below * below).div_euclid(sum)
        };
        (sum > 0).then(|| {
            let x = mean(self.corner.0, self.right.0, self.below.0);
            (x, mean(self.corner.1, self.right.1, self.below.1))
        })
    }
}
