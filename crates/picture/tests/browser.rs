//! Codes as browsers draw them: dots, corner marks with round corners, and an icon in the middle; and codes that were
//! photographed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

use hybridge_picture::{GrayImage, from_pixels};
use image::Luma;
use qrcode::{Color, EcLevel, QrCode};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Parts of a pixel in which codes are measured and placed.
const PARTS: i64 = 16;
/// Light modules that browsers leave around a code.
const QUIET: i64 = 2;

/// Reads an endless random number as one below this.
fn below(rng: &mut ChaCha20Rng, end: i64) -> i64 {
    i64::from(rng.next_u32()) % end
}

/// What a client shows: 168 digits.
fn uri(rng: &mut ChaCha20Rng) -> String {
    (0..168).fold("FIDO:/".to_owned(), |text, _| format!("{text}{}", below(rng, 10)))
}

/// A code and its place on the screen, in parts of a pixel.
struct Drawn {
    code: QrCode,
    module: i64,
    left: i64,
    top: i64,
}

impl Drawn {
    fn new(text: &str, module: i64, left: i64, top: i64) -> Self {
        Self { code: QrCode::with_error_correction_level(text, EcLevel::M).unwrap(), module, left, top }
    }

    fn modules(&self) -> i64 {
        i64::try_from(self.code.width()).unwrap()
    }

    /// The light square around it, in pixels.
    fn dialog(&self) -> (i64, i64, i64, i64) {
        let end = (self.modules() + QUIET) * self.module;
        let start = -QUIET * self.module;
        (
            (self.left + start) / PARTS,
            (self.top + start) / PARTS,
            (self.left + end) / PARTS,
            (self.top + end) / PARTS,
        )
    }

    /// Whether the point is inked, both in parts of a pixel.
    fn is_dark(&self, x: i64, y: i64) -> bool {
        let (x, y) = (x - self.left, y - self.top);
        let (u, v) = (x.div_euclid(self.module), y.div_euclid(self.module));
        let size = self.modules();
        if !(0..size).contains(&u) || !(0..size).contains(&v) {
            return false;
        }
        let far = size - 7;
        for (left, top) in [(0, 0), (far, 0), (0, far)] {
            if (left..left + 7).contains(&u) && (top..top + 7).contains(&v) {
                return self.is_dark_mark(x - left * self.module, y - top * self.module);
            }
        }
        // A person with a key: a disc on a light square.
        let middle = (x - size * self.module / 2, y - size * self.module / 2);
        if middle.0.abs().max(middle.1.abs()) <= 5 * self.module {
            return within(middle, 3 * self.module);
        }
        let module = (usize::try_from(u).unwrap(), usize::try_from(v).unwrap());
        // A little smaller than the module, so that neighbours do not touch.
        let from_centre = (2 * (x - u * self.module) - self.module, 2 * (y - v * self.module) - self.module);
        self.code[module] == Color::Dark && within(from_centre, self.module * 9 / 10)
    }

    /// A ring with round corners, and a square with round corners in it.
    fn is_dark_mark(&self, x: i64, y: i64) -> bool {
        let module = self.module;
        let from_centre = (2 * x - 7 * module, 2 * y - 7 * module);
        let round = |side: i64, radius: i64| {
            let past = |at: i64| (at.abs() - (side - 2 * radius)).max(0);
            within((past(from_centre.0), past(from_centre.1)), 2 * radius)
        };
        (round(7 * module, module) && !round(5 * module, module * 3 / 4)) || round(3 * module, module * 3 / 4)
    }
}

fn within((x, y): (i64, i64), radius: i64) -> bool {
    x * x + y * y <= radius * radius
}

/// A dark page with these codes on it, each on a light square; lines are smooth.
fn screen(width: u32, height: u32, codes: &[Drawn]) -> GrayImage {
    let shade = |x: i64, y: i64| {
        let around = |code: &&Drawn| {
            let (left, top, right, bottom) = code.dialog();
            (left..right).contains(&x) && (top..bottom).contains(&y)
        };
        let Some(code) = codes.iter().find(around) else { return 102 };
        let points = (0..4).flat_map(|i| (0..4).map(move |j| (4 * i + 2, 4 * j + 2)));
        let dark = points.filter(|(i, j)| code.is_dark(x * PARTS + i, y * PARTS + j)).count();
        255 - u8::try_from(dark * 255 / 16).unwrap()
    };
    GrayImage::from_fn(width, height, |x, y| Luma([shade(x.into(), y.into())]))
}

#[test]
fn a_browsers_code_is_read_at_every_size_and_place() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for round in 0..60 {
        let uri = uri(&mut rng);
        let module = 3 * PARTS + below(&mut rng, 9 * PARTS);
        let [left, top] = [0; 2].map(|_| 3 * module + below(&mut rng, 40 * PARTS));
        let code = Drawn::new(&uri, module, left, top);
        let side = u32::try_from((code.modules() + 6) * module / PARTS + 40).unwrap();
        let read = from_pixels(screen(side, side, &[code]));
        let found = read.unwrap_or_else(|error| panic!("round {round}, {module} a module: {error}"));
        assert_eq!(*found, uri, "round {round}, {module} a module at {left}, {top}");
    }
}

#[test]
fn a_browsers_code_is_read_light_on_dark_and_in_pale_colours() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for (ink, ground) in [(255, 0), (0, 90), (170, 255), (90, 20)] {
        let uri = uri(&mut rng);
        let mut pixels =
            screen(400, 400, &[Drawn::new(&uri, 6 * PARTS + 8, 40 * PARTS + 5, 50 * PARTS + 11)]);
        let mix = |shade: u8| (u16::from(shade) * ground + (255 - u16::from(shade)) * ink) / 255;
        pixels.pixels_mut().for_each(|pixel| pixel.0 = [u8::try_from(mix(pixel.0[0])).unwrap()]);
        assert_eq!(*from_pixels(pixels).unwrap(), uri, "{ink} on {ground}");
    }
}

#[test]
fn of_several_codes_on_a_screen_that_for_phones_is_read() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for place in 0..4 {
        let uri = uri(&mut rng);
        let codes: Vec<_> = (0..4)
            .map(|other| {
                let text = if other == place { uri.clone() } else { format!("https://example.com/{other}") };
                let module = 5 * PARTS + below(&mut rng, PARTS);
                let (column, row) = (other % 2, other / 2);
                Drawn::new(&text, module, (40 + 300 * column) * PARTS, (40 + 300 * row) * PARTS)
            })
            .collect();
        assert_eq!(*from_pixels(screen(620, 620, &codes)).unwrap(), uri, "at place {place}");
    }
}

/// Where a pixel of a photograph lies on the photographed picture: as a fraction, both ends of the picture being 0 and 1.
struct Camera {
    rows: [[f64; 3]; 3],
}

impl Camera {
    /// Turned by this angle, from a distance, and tilted in both directions: how much smaller the far ends are.
    fn new(angle: f64, tilt: [f64; 2], side: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        // About the middle of the photograph, then about the middle of the code.
        let scale = 3.2 / side;
        let [x, y, m] =
            [[scale * cos, scale * sin], [-scale * sin, scale * cos], [tilt[0] / side, tilt[1] / side]];
        let affine = |[a, b]: [f64; 2], c: f64| [a, b, c - (a + b) * side / 2.0];
        let mut rows = [affine(x, 0.0), affine(y, 0.0), affine(m, 1.0)];
        // From -1..1 of the picture to 0..1.
        let [x, y, w] = rows;
        rows[0] = [0, 1, 2].map(|i: usize| (x[i] + w[i]) / 2.0);
        rows[1] = [0, 1, 2].map(|i: usize| (y[i] + w[i]) / 2.0);
        Self { rows }
    }

    fn look(&self, x: u32, y: u32) -> Option<(f64, f64)> {
        let [u, v, w] = self.rows.map(|[a, b, c]| a * f64::from(x) + b * f64::from(y) + c);
        (w > 0.1).then_some((u / w, v / w))
    }
}

/// A photograph of a code of squares, with a shadow over it.
fn photograph(code: &QrCode, camera: &Camera, side: u32) -> GrayImage {
    let size = code.width();
    // The code and its quiet zone of four modules.
    let edges: Vec<_> = (0..=u32::try_from(size).unwrap()).map(f64::from).collect();
    let module = |at: f64| {
        let at = at * (edges[size] + 8.0) - 4.0;
        (0.0..edges[size]).contains(&at).then(|| edges.partition_point(|edge| *edge <= at) - 1)
    };
    GrayImage::from_fn(side, side, |x, y| {
        let at = camera.look(x, y).and_then(|(u, v)| Some((module(u)?, module(v)?)));
        let dark = at.is_some_and(|at| code[at] == Color::Dark);
        // From 250 to 160 across the picture, a fifth of that where there is ink.
        let light = 250 - 90 * x / side;
        Luma([u8::try_from(if dark { light / 5 } else { light }).unwrap()])
    })
}

#[test]
fn a_photographed_code_is_read() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut between = |low: i32, high: i32| {
        let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        f64::from(low) + share * f64::from(high - low)
    };
    for round in 0..60 {
        let text = format!("FIDO:/{}", "0123456789".repeat(12 + round % 20));
        let level = [EcLevel::L, EcLevel::M, EcLevel::Q][round % 3];
        let code = QrCode::with_error_correction_level(&text, level).unwrap();
        let angle = between(0, 360).to_radians();
        let tilt = [between(-20, 20) / 100.0, between(-20, 20) / 100.0];
        let taken = photograph(&code, &Camera::new(angle, tilt, 700.0), 700);
        let read = from_pixels(taken);
        let read =
            read.unwrap_or_else(|error| panic!("round {round}, angle {angle}, tilt {tilt:?}: {error}"));
        assert_eq!(*read, text, "round {round}, angle {angle}, tilt {tilt:?}");
    }
}

#[test]
fn no_pixels_make_the_reader_fail() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for round in 0..100 {
        let uri = uri(&mut rng);
        let module = PARTS + below(&mut rng, 4 * PARTS);
        let side = u32::try_from(45 * module / PARTS).unwrap();
        let mut pixels = screen(side, side, &[Drawn::new(&uri, module, 2 * module, 2 * module)]);
        for _ in 0..below(&mut rng, 2000) {
            let [x, y] = [0; 2].map(|_| rng.next_u32() % side);
            pixels.put_pixel(x, y, Luma([rng.next_u32().to_le_bytes()[0]]));
        }
        let (width, height) = (1 + rng.next_u32() % side, 1 + rng.next_u32() % side);
        let cut = image::imageops::crop_imm(&pixels, 0, 0, width, height).to_image();
        // Whatever is read, it is what was there.
        for picture in [cut, pixels] {
            if let Ok(read) = from_pixels(picture) {
                assert_eq!(*read, uri, "round {round}");
            }
        }
    }
}
