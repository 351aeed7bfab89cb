//! Texts and buttons.

use egui::{
    Align, Align2, Color32, FontId, Frame, Id, Label, Layout, Margin, Rect, Response, RichText, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, WidgetType,
    accesskit::{Live, Role},
};

use super::theme::{BODY, HEADING, Palette, SMALL};

/// Height of a button.
pub const BUTTON: f32 = 42.0;
const ROUND: f32 = 9.0;

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What most people want.
    Primary,
    /// Anything else.
    Plain,
}

/// What the page is about. Screen readers tell it when it changes.
pub fn heading(ui: &mut Ui, text: &str) {
    let response = ui.add(Label::new(RichText::new(text).size(HEADING)).wrap());
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.set_level(1);
        node.set_label(text);
        node.clear_value();
        node.set_live(Live::Polite);
    });
}

/// What to do.
pub fn advice(ui: &mut Ui, text: &str) {
    let colour = Palette::here(ui).soft;
    let response = ui.add(Label::new(RichText::new(text).size(BODY).color(colour)).wrap());
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
}

/// What explains.
pub fn small(ui: &mut Ui, text: &str, colour: Color32) {
    ui.add(Label::new(RichText::new(text).size(SMALL).color(colour)).wrap());
}

/// What belongs together.
pub fn card(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let palette = Palette::here(ui);
    let frame = Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.edge))
        .corner_radius(ROUND)
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.with_layout(Layout::top_down(Align::Min), content);
    });
}

/// A name and a value, read as one.
pub fn row(ui: &mut Ui, name: &str, value: &str) {
    let palette = Palette::here(ui);
    let width = ui.available_width();
    let font = FontId::proportional(SMALL + 0.5);
    let name_width = 76.0;
    let label = ui.painter().layout_no_wrap(name.to_owned(), font.clone(), palette.soft);
    let text = ui.painter().layout(value.to_owned(), font, palette.text, width - name_width);
    let (rect, response) =
        ui.allocate_exact_size(egui::vec2(width, text.size().y.max(label.size().y)), Sense::hover());
    ui.painter().galley(rect.left_top(), label, palette.soft);
    ui.painter().galley(rect.left_top() + egui::vec2(name_width, 0.0), text, palette.text);
    let words = format!("{name}: {value}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &words));
}

/// A button that fills a rectangle. It keeps the focus for as long as there is one of its name.
pub fn button(ui: &mut Ui, rect: Rect, name: &str, look: Look) -> Response {
    let response = ui.interact(rect, Id::new(("button", name)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, name));
    let palette = Palette::here(ui);
    let (mut fill, edge, text) = match look {
        Look::Primary => (palette.accent, palette.accent, palette.on_accent),
        Look::Plain => (palette.card, palette.edge, palette.text),
    };
    if response.is_pointer_button_down_on() {
        fill = fill.lerp_to_gamma(palette.text, 0.16);
    } else if response.hovered() {
        fill = fill.lerp_to_gamma(palette.text, 0.08);
    }
    let painter = ui.painter();
    painter.rect(rect, ROUND, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    painter.text(rect.center(), Align2::CENTER_CENTER, name, FontId::proportional(BODY), text);
    if response.has_focus() {
        let ring = Stroke::new(2.0, if look == Look::Primary { palette.text } else { palette.accent });
        painter.rect_stroke(rect.expand(3.0), ROUND + 3.0, ring, StrokeKind::Inside);
    }
    response
}
