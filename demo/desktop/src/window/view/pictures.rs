//! The pictures of the pages, and the line of steps.

use egui::{Color32, Rect, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetType};

use super::{
    icons::{Icon, draw},
    pen::Pen,
    theme::Palette,
};
use crate::window::page::{Bluetooth, Done, Kind, Page, Problem, Progress};

/// Side of a page's picture.
const SIDE: f32 = 116.0;
/// Side of a step's picture.
const STEP: f32 = 34.0;
/// Of the line between two.
const BETWEEN: f32 = 34.0;

/// Which colour a picture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It goes on.
    Accent,
    /// It went well.
    Good,
    /// A person can mend it.
    Warn,
    /// It went wrong.
    Bad,
    /// It does not matter any more.
    Quiet,
}

impl Tone {
    fn colour(self, palette: &Palette) -> Color32 {
        match self {
            Self::Accent => palette.accent,
            Self::Good => palette.good,
            Self::Warn => palette.warn,
            Self::Bad => palette.bad,
            Self::Quiet => palette.soft,
        }
    }
}

/// What is drawn for a page: a picture, and a smaller one at its edge.
pub fn of_page(page: &Page) -> (Icon, Option<Icon>, Tone) {
    match page {
        Page::Waiting => (Icon::Dots, None, Tone::Quiet),
        Page::Touch | Page::Wink => (Icon::Key, None, Tone::Accent),
        Page::Chosen => (Icon::Phone, Some(Icon::Tick), Tone::Accent),
        Page::Preparing => (Icon::Rune, None, Tone::Accent),
        Page::Code(_) => (Icon::Code, None, Tone::Accent),
        Page::Searching | Page::Progress(Progress::Calling(_) | Progress::Nearby) => {
            (Icon::PhoneNear, None, Tone::Accent)
        }
        Page::Progress(Progress::Approval) => (Icon::PhoneAsks, None, Tone::Accent),
        Page::Progress(_) => (Icon::Linked, None, Tone::Accent),
        Page::Done(Done::Saved) => (Icon::Phone, Some(Icon::Tick), Tone::Good),
        Page::Done(_) => (Icon::Tick, None, Tone::Good),
        Page::Problem(problem) => of_problem(problem),
    }
}

fn of_problem(problem: &Problem) -> (Icon, Option<Icon>, Tone) {
    match problem.kind {
        Kind::BluetoothOff => match problem.bluetooth {
            Bluetooth::On => (Icon::Rune, Some(Icon::Tick), Tone::Good),
            Bluetooth::Asked => (Icon::Rune, None, Tone::Accent),
            Bluetooth::Untouched | Bluetooth::Refused => (Icon::RuneOff, None, Tone::Warn),
        },
        Kind::NoAdapter => (Icon::Rune, Some(Icon::Cross), Tone::Warn),
        Kind::BluetoothPermission => (Icon::Rune, Some(Icon::Lock), Tone::Warn),
        Kind::BluetoothService | Kind::Radio => (Icon::Rune, Some(Icon::Mark), Tone::Warn),
        Kind::TunnelNotReached | Kind::Tunnel => (Icon::Cloud, Some(Icon::Cross), Tone::Warn),
        Kind::TunnelRefused => (Icon::Cloud, Some(Icon::Mark), Tone::Warn),
        Kind::TunnelCertificate => (Icon::Cloud, Some(Icon::Lock), Tone::Bad),
        Kind::TimedOut => (Icon::Clock, None, Tone::Warn),
        Kind::Protocol => (Icon::Shield, Some(Icon::Mark), Tone::Bad),
        Kind::Refused | Kind::NoPasskey => (Icon::Phone, Some(Icon::Cross), Tone::Bad),
        Kind::Excluded => (Icon::Phone, Some(Icon::Mark), Tone::Warn),
        Kind::Cancelled => (Icon::Cross, None, Tone::Quiet),
        Kind::KeyGone => (Icon::Key, Some(Icon::Cross), Tone::Warn),
        Kind::NotDrawn => (Icon::Code, Some(Icon::Cross), Tone::Bad),
        Kind::Request | Kind::Other => (Icon::Mark, None, Tone::Bad),
    }
}

/// Draws the picture of a page. Its words say the same, so screen readers pass over it.
pub fn show(ui: &mut Ui, page: &Page) {
    let palette = Palette::here(ui);
    let (icon, badge, tone) = of_page(page);
    let colour = tone.colour(&palette);
    let (square, _) = ui.allocate_exact_size(Vec2::splat(SIDE), Sense::hover());
    let tint = palette.tint(colour);
    let pen = |colour, width| Pen { painter: ui.painter(), square, colour, width };
    pen(tint, 1.0).disc((50.0, 50.0), 50.0);
    draw(&pen(colour, 7.5).within((50.0, 50.0), 52.0), icon);
    if let Some(badge) = badge {
        let centre = (80.0, 80.0);
        pen(palette.background, 1.0).disc(centre, 19.0);
        pen(colour, 1.0).disc(centre, 15.0);
        draw(&pen(palette.background, 14.0).within(centre, 17.0), badge);
    }
}

/// Draws how far it is: four pictures in a line. `now` is the step that is being done, from 1; 5 is after the last.
pub fn steps(ui: &mut Ui, now: u8, name: &str) {
    let palette = Palette::here(ui);
    let icons = [(1_u8, Icon::Code), (2, Icon::PhoneNear), (3, Icon::Linked), (4, Icon::PhoneAsks)];
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(4.0 * STEP + 3.0 * BETWEEN, STEP), Sense::hover());
    let words = if now > 4 { name.to_owned() } else { format!("Step {now} of 4: {name}") };
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, &words));
    for (step, icon) in icons {
        let left = rect.left() + (f32::from(step) - 1.0) * (STEP + BETWEEN);
        let square = Rect::from_min_size(egui::pos2(left, rect.top()), Vec2::splat(STEP));
        let (back, front) = match step.cmp(&now) {
            std::cmp::Ordering::Less => (palette.tint(palette.accent), palette.accent),
            std::cmp::Ordering::Equal => (palette.accent, palette.on_accent),
            std::cmp::Ordering::Greater => (palette.background, palette.soft),
        };
        let pen = |colour, width| Pen { painter: ui.painter(), square, colour, width };
        pen(back, 1.0).disc((50.0, 50.0), 50.0);
        if step > now {
            pen(palette.edge, 3.0).ring((50.0, 50.0), 48.0);
        }
        let shown = if step < now { Icon::Tick } else { icon };
        draw(&pen(front, 9.0).within((50.0, 50.0), 54.0), shown);
        if step < 4 {
            let colour = if step < now { palette.accent } else { palette.edge };
            let line = (square.right() + 6.0)..=(square.right() + BETWEEN - 6.0);
            ui.painter().hline(line, square.center().y, Stroke::new(2.0, colour));
        }
    }
}
