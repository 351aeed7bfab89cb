//! What is really on the screen: drawn without a window, and read back.

use egui::{Context, RawInput, Theme, Vec2, ViewportId};
use hybridge_picture::{GrayImage, ReadError, from_pixels};

use super::{CODE, LARGE, TOUCH, WANTED, Window, theme};
use crate::window::paint::Canvas;

const LONG: &str = "FIDO:/021300887621042231640113152910180030009200020150180600000107001500450000000000510\
0000000000000000000000000000000000000000000000000000000000000000000000000000000000000004";

/// A picture of the window.
struct Picture {
    width: u32,
    pixels: Vec<u32>,
}

impl Picture {
    fn take(window: &mut Window, size: Vec2, scale: f32, theme: Theme) -> Self {
        let (ctx, mut canvas) = (Context::default(), Canvas::default());
        theme::install(&ctx);
        ctx.set_theme(theme);
        let side = |points: f32| (1..10_000_u16).find(|side| f32::from(*side) >= points * scale).unwrap();
        let (width, height) = (side(size.x), side(size.y));
        // As often as a window is drawn before it is at rest.
        for _ in 0..2 {
            let mut input = RawInput {
                screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, size)),
                ..RawInput::default()
            };
            input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
            let mut output = ctx.run_ui(input, |ui| window.show(ui));
            canvas.draw(&ctx, &mut output, width.into(), height.into());
        }
        Self { width: width.into(), pixels: canvas.pixels().collect() }
    }

    fn grey(&self) -> GrayImage {
        let height = u32::try_from(self.pixels.len()).unwrap() / self.width;
        GrayImage::from_fn(self.width, height, |x, y| {
            let [_, red, green, blue] =
                self.pixels[usize::try_from(y * self.width + x).unwrap()].to_be_bytes();
            image::Luma([u8::try_from((u32::from(red) + u32::from(green) + u32::from(blue)) / 3).unwrap()])
        })
    }

    fn count(&self, colour: u32) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == colour).count()
    }
}

fn code(text: &str) -> String {
    CODE.replace("FIDO:/0123456789", text)
}

#[test]
fn the_code_on_the_screen_can_be_read() {
    for theme in [Theme::Light, Theme::Dark] {
        for (scale, size) in [(1.0, LARGE), (2.0, LARGE), (1.25, LARGE), (1.0, Vec2::new(340.0, 420.0))] {
            let mut window = Window::told(&[WANTED, &code(LONG)]);
            let picture = Picture::take(&mut window, size, scale, theme);
            let read =
                from_pixels(picture.grey()).unwrap_or_else(|error| panic!("{theme:?} {scale}: {error}"));
            assert_eq!(*read, LONG, "{theme:?} {scale} {size:?}");
        }
    }
}

#[test]
fn the_code_is_whole_pixels_in_a_white_margin() {
    for scale in [1.0, 1.5, 2.0] {
        let mut window = Window::told(&[WANTED, &code(LONG)]);
        let picture = Picture::take(&mut window, LARGE, scale, Theme::Dark).grey();
        let dark: Vec<(u32, u32)> = picture
            .enumerate_pixels()
            .filter(|(_, _, pixel)| pixel.0 == [0])
            .map(|(x, y, _)| (x, y))
            .collect();
        let (left, top) =
            (dark.iter().map(|at| at.0).min().unwrap(), dark.iter().map(|at| at.1).min().unwrap());
        let side = dark.iter().map(|at| at.0).max().unwrap() + 1 - left;
        assert_eq!(side % 33, 0, "whole pixels a module");
        let quiet = side / 33 * 4;
        // The corners of the paper are round.
        for y in top - quiet + 17..top + side + quiet - 17 {
            for x in left - quiet + 1..left + side + quiet - 1 {
                let inside = (left..left + side).contains(&x) && (top..top + side).contains(&y);
                let grey = picture.get_pixel(x, y).0[0];
                assert!(grey == 255 || inside && grey == 0, "{x} {y} is {grey}");
            }
        }
    }
}

#[test]
fn a_hidden_code_is_on_no_pixel() {
    for event in ["code-hidden", "phone-nearby"] {
        let mut window = Window::told(&[WANTED, &code(LONG), &format!(r#"{{"event":"{event}"}}"#)]);
        let picture = Picture::take(&mut window, LARGE, 1.0, Theme::Dark);
        assert!(matches!(from_pixels(picture.grey()), Err(ReadError::NoCode)), "{event}");
        assert_eq!(picture.count(0xff_ff_ff), 0, "nothing is white in a dark window");
    }
}

#[test]
fn every_size_can_be_drawn() {
    for size in
        [Vec2::new(1.0, 1.0), Vec2::new(60.0, 900.0), Vec2::new(900.0, 30.0), Vec2::new(2000.0, 1200.0)]
    {
        for lines in [&[TOUCH][..], &[WANTED, CODE]] {
            let picture = Picture::take(&mut Window::told(lines), size, 1.0, Theme::Light);
            assert!(!picture.pixels.is_empty());
        }
    }
}
