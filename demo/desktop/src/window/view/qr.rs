//! The code, drawn so that cameras read it: dark on white whatever the theme, with a quiet zone, whole pixels a module.

use egui::{
    Color32, Mesh, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, WidgetType,
};

use super::theme::Palette;
use crate::window::code::Modules;

/// Modules of the quiet zone on each side.
pub const QUIET: u16 = 4;
/// What a screen reader says.
pub const NAME: &str = "QR code for your phone's camera";

/// Draws the code as large as fits into a square of this side, but never with less than two pixels a module.
///
/// It is drawn as rectangles, not as a texture, so nothing of it outlives the picture on the screen.
pub fn show(ui: &mut Ui, modules: &Modules, room: f32) -> Response {
    let pixels = ui.ctx().pixels_per_point();
    let across = f32::from(modules.side()) + 2.0 * f32::from(QUIET);
    let module = (room * pixels / across).floor().max(2.0);
    let side = across * module / pixels;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, NAME));
    let snapped = |at: f32| (at * pixels).round() / pixels;
    let corner = Pos2::new(snapped(rect.min.x), snapped(rect.min.y));
    let paper = Rect::from_min_size(corner, Vec2::splat(side));
    let edge = Stroke::new(1.0, Palette::here(ui).edge);
    ui.painter().rect(paper, 8.0, Color32::WHITE, edge, StrokeKind::Outside);
    let mut mesh = Mesh::default();
    let at = |modules: u16| f32::from(modules.saturating_add(QUIET)) * module / pixels;
    for (row, column, length) in modules.runs() {
        let upper_left = corner + Vec2::new(at(column), at(row));
        let lower_right = corner + Vec2::new(at(column.saturating_add(length)), at(row.saturating_add(1)));
        mesh.add_colored_rect(Rect::from_min_max(upper_left, lower_right), Color32::BLACK);
    }
    ui.painter().add(mesh);
    response
}
