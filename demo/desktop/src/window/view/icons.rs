//! Pictures of lines.

use std::f32::consts::TAU;

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2};

/// A picture of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A code.
    Code,
    /// A phone.
    Phone,
    /// A phone that sends.
    PhoneNear,
    /// A phone that asks.
    PhoneAsks,
    /// A computer and a phone.
    Linked,
    /// A tick.
    Tick,
    /// A cross.
    Cross,
    /// An exclamation mark.
    Mark,
    /// A closed lock.
    Lock,
    /// A key.
    Key,
    /// The rune of Bluetooth.
    Rune,
    /// The rune of Bluetooth, struck out.
    RuneOff,
    /// A cloud.
    Cloud,
    /// A clock.
    Clock,
    /// A shield.
    Shield,
    /// Three dots.
    Dots,
}

pub(super) fn draw(pen: &Pen<'_>, icon: Icon) {
    match icon {
        Icon::Code => code(pen),
        Icon::Phone => phone(pen),
        Icon::PhoneNear => near(pen),
        Icon::PhoneAsks => asks(pen),
        Icon::Linked => linked(pen),
        Icon::Tick => pen.line(&[(20.0, 54.0), (41.0, 74.0), (80.0, 28.0)]),
        Icon::Cross => {
            pen.line(&[(24.0, 24.0), (76.0, 76.0)]);
            pen.line(&[(76.0, 24.0), (24.0, 76.0)]);
        }
        Icon::Mark => {
            pen.line(&[(50.0, 18.0), (50.0, 58.0)]);
            pen.disc((50.0, 80.0), pen.width * 0.72);
        }
        Icon::Lock => lock(pen),
        Icon::Key => key(pen),
        Icon::Rune => rune(pen),
        Icon::RuneOff => {
            rune(pen);
            pen.line(&[(14.0, 16.0), (86.0, 84.0)]);
        }
        Icon::Cloud => cloud(pen),
        Icon::Clock => {
            pen.ring((50.0, 50.0), 38.0);
            pen.line(&[(50.0, 26.0), (50.0, 52.0), (66.0, 62.0)]);
        }
        Icon::Shield => shield(pen),
        Icon::Dots => [22.0, 50.0, 78.0].into_iter().for_each(|x| pen.disc((x, 50.0), 8.0)),
    }
}

fn code(pen: &Pen<'_>) {
    for corner in [(12.0, 12.0), (58.0, 12.0), (12.0, 58.0)] {
        pen.frame(corner, (corner.0 + 30.0, corner.1 + 30.0), 4.0);
        pen.block((corner.0 + 10.0, corner.1 + 10.0), (corner.0 + 20.0, corner.1 + 20.0), 1.0);
    }
    for spot in [(56.0, 56.0), (78.0, 56.0), (67.0, 67.0), (56.0, 78.0), (78.0, 78.0)] {
        pen.block(spot, (spot.0 + 11.0, spot.1 + 11.0), 1.0);
    }
}

fn phone(pen: &Pen<'_>) {
    pen.frame((27.0, 6.0), (73.0, 94.0), 10.0);
    pen.line(&[(44.0, 81.0), (56.0, 81.0)]);
}

fn near(pen: &Pen<'_>) {
    pen.frame((34.0, 14.0), (66.0, 86.0), 8.0);
    pen.line(&[(46.0, 74.0), (54.0, 74.0)]);
    for (radius, reach) in [(32.0, 0.085), (46.0, 0.1)] {
        pen.arc((50.0, 50.0), radius, -reach, reach);
        pen.arc((50.0, 50.0), radius, 0.5 - reach, 0.5 + reach);
    }
}

fn asks(pen: &Pen<'_>) {
    phone(pen);
    pen.line(&[(38.0, 44.0), (47.0, 53.0), (63.0, 33.0)]);
}

fn linked(pen: &Pen<'_>) {
    pen.frame((12.0, 22.0), (60.0, 58.0), 5.0);
    pen.line(&[(2.0, 74.0), (58.0, 74.0)]);
    pen.frame((74.0, 38.0), (98.0, 80.0), 6.0);
}

fn lock(pen: &Pen<'_>) {
    pen.block((20.0, 44.0), (80.0, 88.0), 8.0);
    pen.arc((50.0, 42.0), 20.0, 0.5, 1.0);
}

fn key(pen: &Pen<'_>) {
    pen.ring((28.0, 50.0), 19.0);
    pen.line(&[(47.0, 50.0), (94.0, 50.0), (94.0, 66.0)]);
    pen.line(&[(76.0, 50.0), (76.0, 62.0)]);
}

fn rune(pen: &Pen<'_>) {
    pen.line(&[(27.0, 29.0), (73.0, 71.0), (50.0, 92.0), (50.0, 8.0), (73.0, 29.0), (27.0, 71.0)]);
}

fn cloud(pen: &Pen<'_>) {
    pen.arc((28.0, 60.0), 20.0, 0.25, 0.72);
    pen.arc((50.0, 42.0), 24.0, 0.52, 0.96);
    pen.arc((76.0, 60.0), 20.0, -0.27, 0.25);
    pen.line(&[(28.0, 80.0), (76.0, 80.0)]);
}

fn shield(pen: &Pen<'_>) {
    let side = [(50.0, 8.0), (84.0, 20.0), (83.0, 50.0), (72.0, 76.0), (50.0, 93.0)];
    let mirrored = side.map(|(x, y)| (100.0 - x, y));
    pen.line(&side);
    pen.line(&mirrored);
}

/// A pen of one colour in a square, whose sides are 100 long whatever they measure.
pub(super) struct Pen<'p> {
    pub(super) painter: &'p Painter,
    pub(super) square: Rect,
    pub(super) colour: Color32,
    /// Width of lines, of 100.
    pub(super) width: f32,
}

impl Pen<'_> {
    fn scale(&self) -> f32 {
        self.square.width() / 100.0
    }

    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.square.min + Vec2::new(x, y) * self.scale()
    }

    fn stroke(&self) -> Stroke {
        Stroke::new(self.width * self.scale(), self.colour)
    }

    /// The same in a smaller square.
    pub(super) fn within(&self, centre: (f32, f32), side: f32) -> Self {
        let square = Rect::from_center_size(self.at(centre), Vec2::splat(side * self.scale()));
        Self { square, ..*self }
    }

    /// A line with round ends and corners.
    pub(super) fn line(&self, points: &[(f32, f32)]) {
        let points: Vec<Pos2> = points.iter().map(|point| self.at(*point)).collect();
        let radius = self.width * self.scale() / 2.0;
        for point in &points {
            self.painter.circle_filled(*point, radius, self.colour);
        }
        self.painter.add(Shape::line(points, self.stroke()));
    }

    /// A part of a circle; angles are parts of a turn, clockwise from the right.
    pub(super) fn arc(&self, centre: (f32, f32), radius: f32, from: f32, to: f32) {
        let points: Vec<(f32, f32)> = (0..=16_u8)
            .map(|step| (from + (to - from) * f32::from(step) / 16.0) * TAU)
            .map(|angle| (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin()))
            .collect();
        let line: Vec<Pos2> = points.iter().map(|point| self.at(*point)).collect();
        for end in line.first().into_iter().chain(line.last()) {
            self.painter.circle_filled(*end, self.width * self.scale() / 2.0, self.colour);
        }
        self.painter.add(Shape::line(line, self.stroke()));
    }

    pub(super) fn ring(&self, centre: (f32, f32), radius: f32) {
        self.painter.circle_stroke(self.at(centre), radius * self.scale(), self.stroke());
    }

    pub(super) fn disc(&self, centre: (f32, f32), radius: f32) {
        self.painter.circle_filled(self.at(centre), radius * self.scale(), self.colour);
    }

    /// The outline of a rectangle with round corners.
    pub(super) fn frame(&self, from: (f32, f32), to: (f32, f32), round: f32) {
        let rect = Rect::from_min_max(self.at(from), self.at(to));
        self.painter.rect_stroke(rect, round * self.scale(), self.stroke(), StrokeKind::Middle);
    }

    /// A rectangle with round corners.
    pub(super) fn block(&self, from: (f32, f32), to: (f32, f32), round: f32) {
        let rect = Rect::from_min_max(self.at(from), self.at(to));
        self.painter.rect_filled(rect, round * self.scale(), self.colour);
    }
}
