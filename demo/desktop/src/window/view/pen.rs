//! Draws lines in a square whose sides are 100 long.

use std::f32::consts::TAU;

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2};

/// A pen of one colour.
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
