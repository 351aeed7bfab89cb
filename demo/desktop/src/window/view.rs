//! Draws a page, and says what a person does on it.

mod icons;
mod pen;
pub mod pictures;
pub mod qr;
pub mod theme;
pub mod widgets;

#[cfg(test)]
mod tests;

use std::time::Duration;

use egui::{Key, Modifiers, Rect, Response, ScrollArea, Ui, UiBuilder, Vec2};

use self::{
    theme::Palette,
    widgets::{BUTTON, Look},
};
use super::{
    model::{Action, Buttons, Model},
    page::{Page, Problem},
    words,
};

/// Size of the window for a page without a code, in points.
pub const SMALL: Vec2 = Vec2::new(440.0, 520.0);
/// Size of the window for a code, in points.
pub const LARGE: Vec2 = Vec2::new(440.0, 716.0);

const MARGIN: f32 = 26.0;
const BAR: f32 = BUTTON + 2.0 * 18.0;
/// No wider, for the eye's sake.
const WIDEST: f32 = 460.0;
/// How much of the window's height a code may take.
const CODE: f32 = 0.47;

/// What the view keeps from one picture to the next.
#[derive(Debug, Default)]
pub struct Face {
    /// The buttons that have had their focus set.
    buttons: Option<u64>,
    /// How high the page is without the buttons.
    height: f32,
}

/// Draws the page into all of `ui`.
pub fn show(ui: &mut Ui, model: &Model, now: Duration, face: &mut Face) -> Option<Action> {
    let whole = ui.max_rect();
    ui.painter().rect_filled(whole, 0.0, Palette::here(ui).background);
    let width = (whole.width() - 2.0 * MARGIN).clamp(1.0, WIDEST);
    let column = Rect::from_center_size(whole.center(), egui::vec2(width, whole.height()));
    let (page, bar) = column.split_top_bottom_at_y((column.bottom() - BAR).max(column.top()));
    let escape = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let layout = egui::Layout::top_down(egui::Align::Center);
    let builder = UiBuilder::new().id_salt("page").max_rect(page).layout(layout);
    let chosen = ui.scope_builder(builder, |ui| scrolled(ui, model, now, face)).inner;
    let pressed = buttons(ui, bar.shrink2(egui::vec2(0.0, 18.0)), model, face);
    if escape { Some(Action::Cancel) } else { pressed.or(chosen) }
}

/// In the middle if there is room, else with a scroll bar.
fn scrolled(ui: &mut Ui, model: &Model, now: Duration, face: &mut Face) -> Option<Action> {
    let room = ui.available_height();
    let code_side = ui.available_width().min((room + BAR) * CODE);
    let area = ScrollArea::vertical().auto_shrink(false);
    area.show(ui, |ui| {
        ui.vertical_centered(|ui| {
            let above = ((room - face.height) / 2.0).max(18.0).round();
            ui.add_space(above);
            let top = ui.cursor().top();
            let action = content(ui, model, now, code_side);
            let height = ui.min_rect().bottom() - top;
            if (height - face.height).abs() > 0.5 {
                face.height = height;
                ui.ctx().request_discard("the page's height is known now");
            }
            action
        })
        .inner
    })
    .inner
}

fn content(ui: &mut Ui, model: &Model, now: Duration, code_side: f32) -> Option<Action> {
    let page = model.page();
    if let Some((step, name)) = words::step(page) {
        pictures::steps(ui, step, name);
        ui.add_space(14.0);
    }
    if !matches!(page, Page::Code(_)) {
        ui.add_space(6.0);
        pictures::show(ui, page);
        ui.add_space(16.0);
    }
    let words = words::of_page(model);
    widgets::heading(ui, &words.heading);
    if let Page::Code(code) = page {
        ui.add_space(8.0);
        qr::show(ui, &code.modules, code_side);
        ui.add_space(8.0);
    }
    widgets::advice(ui, &words.advice);
    if let Some(seconds) = model.seconds_left(now) {
        widgets::small(ui, &words::countdown(seconds), Palette::here(ui).soft);
    }
    details(ui, model);
    phones(ui, model)
}

/// What is to be known beside: a notice, an error's message, who asks.
fn details(ui: &mut Ui, model: &Model) {
    let palette = Palette::here(ui);
    if let Some(notice) = model.notice() {
        ui.add_space(2.0);
        widgets::small(ui, notice.as_str(), palette.warn);
    }
    if let Page::Problem(Problem { message: Some(message), .. }) = model.page() {
        ui.add_space(8.0);
        widgets::card(ui, |ui| widgets::small(ui, message.as_str(), palette.soft));
    }
    if model.buttons() == Buttons::Question || matches!(model.page(), Page::Code(_) | Page::Preparing) {
        ui.add_space(8.0);
        widgets::card(ui, |ui| who(ui, model));
    }
}

fn who(ui: &mut Ui, model: &Model) {
    let asker = model.asker();
    ui.spacing_mut().item_spacing.y = 3.0;
    widgets::row(ui, "Asked by", &words::programs(asker));
    if let Some(user) = &asker.user {
        widgets::row(ui, "Account", user.as_str());
    }
    match &asker.origin {
        Some(origin) => widgets::row(ui, "Page", origin.as_str()),
        None => widgets::small(ui, words::NO_ORIGIN, Palette::here(ui).soft),
    }
}

/// Remembered phones, as buttons.
fn phones(ui: &mut Ui, model: &Model) -> Option<Action> {
    let mut chosen = None;
    for phone in model.phones() {
        ui.add_space(4.0);
        let name = format!("Use {}", phone.name);
        let size = egui::vec2(ui.available_width(), BUTTON);
        let (_, rect) = ui.allocate_space(size);
        if widgets::button(ui, rect, &name, Look::Plain).clicked() {
            chosen = Some(Action::Phone(phone.id));
        }
    }
    chosen
}

type Button = (&'static str, Look, Action);

/// From left to right. The second of each pair has the focus at first, `None` if nothing has: what is typed while the
/// window opens must not answer.
fn buttons_of(buttons: Buttons) -> (&'static [Button], Option<usize>) {
    match buttons {
        Buttons::Question => (
            &[("Not now", Look::Plain, Action::Cancel), ("Use my phone", Look::Primary, Action::Agree)],
            Some(0),
        ),
        Buttons::Cancel => (&[("Cancel", Look::Plain, Action::Cancel)], None),
        Buttons::Close => (&[("Close", Look::Plain, Action::Cancel)], Some(0)),
        Buttons::Retry => {
            (&[("Close", Look::Plain, Action::Cancel), ("Try again", Look::Primary, Action::Retry)], Some(1))
        }
        Buttons::Bluetooth => (
            &[
                ("Close", Look::Plain, Action::Cancel),
                ("Turn on Bluetooth", Look::Primary, Action::BluetoothOn),
            ],
            Some(1),
        ),
    }
}

fn buttons(ui: &mut Ui, bar: Rect, model: &Model, face: &mut Face) -> Option<Action> {
    let (buttons, first) = buttons_of(model.buttons());
    let fresh = face.buttons != Some(model.buttons_number());
    face.buttons = Some(model.buttons_number());
    let gap = 12.0;
    let count = f32::from(u8::try_from(buttons.len()).unwrap_or(u8::MAX));
    let width = (bar.width() - gap * (count - 1.0)) / count;
    let mut left = bar.left();
    let mut action = None;
    for (number, (name, look, does)) in buttons.iter().enumerate() {
        let rect = Rect::from_min_size(egui::pos2(left, bar.top()), egui::vec2(width, bar.height()));
        let response = widgets::button(ui, rect, name, *look);
        if fresh {
            focus(&response, first == Some(number));
        }
        if response.clicked() {
            action = Some(*does);
        }
        left += width + gap;
    }
    action
}

fn focus(response: &Response, wanted: bool) {
    if wanted {
        response.request_focus();
    } else {
        response.surrender_focus();
    }
}
