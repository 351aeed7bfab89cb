//! Colours, sizes and distances.

use egui::{Color32, Context, FontId, TextStyle, Theme, Ui, Visuals};

/// Colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub background: Color32,
    /// Behind what belongs together.
    pub card: Color32,
    /// Edges of cards and buttons.
    pub edge: Color32,
    /// Text.
    pub text: Color32,
    /// Text that explains.
    pub soft: Color32,
    /// What is to be pressed, and where it is at.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// What went well.
    pub good: Color32,
    /// What a person can mend.
    pub warn: Color32,
    /// What went wrong.
    pub bad: Color32,
}

/// Dark text on light.
pub const LIGHT: Palette = Palette {
    background: Color32::from_rgb(0xfa, 0xfa, 0xfb),
    card: Color32::from_rgb(0xff, 0xff, 0xff),
    edge: Color32::from_rgb(0xd9, 0xda, 0xdf),
    text: Color32::from_rgb(0x17, 0x18, 0x1c),
    soft: Color32::from_rgb(0x55, 0x58, 0x61),
    accent: Color32::from_rgb(0x1c, 0x5f, 0xc9),
    on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
    good: Color32::from_rgb(0x1e, 0x7d, 0x42),
    warn: Color32::from_rgb(0x9a, 0x5b, 0x00),
    bad: Color32::from_rgb(0xc0, 0x26, 0x2d),
};

/// Light text on dark.
pub const DARK: Palette = Palette {
    background: Color32::from_rgb(0x1d, 0x1e, 0x21),
    card: Color32::from_rgb(0x29, 0x2a, 0x2e),
    edge: Color32::from_rgb(0x43, 0x45, 0x4b),
    text: Color32::from_rgb(0xf1, 0xf1, 0xf4),
    soft: Color32::from_rgb(0xb3, 0xb6, 0xbf),
    accent: Color32::from_rgb(0x7f, 0xb2, 0xff),
    on_accent: Color32::from_rgb(0x0c, 0x1a, 0x30),
    good: Color32::from_rgb(0x6f, 0xd1, 0x92),
    warn: Color32::from_rgb(0xf0, 0xb8, 0x5a),
    bad: Color32::from_rgb(0xff, 0x8b, 0x88),
};

impl Palette {
    /// Of a theme.
    pub fn of(theme: Theme) -> Self {
        match theme {
            Theme::Dark => DARK,
            Theme::Light => LIGHT,
        }
    }

    /// Of what is being drawn.
    pub fn here(ui: &Ui) -> Self {
        Self::of(ui.theme())
    }

    /// A colour's shade for surfaces.
    pub fn tint(&self, colour: Color32) -> Color32 {
        self.background.lerp_to_gamma(colour, 0.14)
    }
}

/// Sizes of text.
pub const HEADING: f32 = 23.0;
/// Of what is to be read.
pub const BODY: f32 = 15.5;
/// Of what explains.
pub const SMALL: f32 = 13.5;

/// Sets colours and sizes for both themes. Nothing moves, so nothing is drawn for movement.
pub fn install(ctx: &Context) {
    for theme in [Theme::Light, Theme::Dark] {
        let palette = Palette::of(theme);
        ctx.style_mut_of(theme, |style| {
            style.visuals = if theme == Theme::Dark { Visuals::dark() } else { Visuals::light() };
            style.visuals.panel_fill = palette.background;
            style.visuals.override_text_color = Some(palette.text);
            style.animation_time = 0.0;
            style.interaction.selectable_labels = false;
            style.spacing.item_spacing = egui::vec2(8.0, 6.0);
            style.text_styles.insert(TextStyle::Heading, FontId::proportional(HEADING));
            style.text_styles.insert(TextStyle::Body, FontId::proportional(BODY));
            style.text_styles.insert(TextStyle::Small, FontId::proportional(SMALL));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(colour: Color32) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
    }

    fn contrast(one: Color32, other: Color32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read() {
        for palette in [LIGHT, DARK] {
            let Palette { background, card, text, soft, accent, on_accent, .. } = palette;
            for (front, back) in
                [(text, background), (text, card), (soft, background), (soft, card), (on_accent, accent)]
            {
                assert!(contrast(front, back) >= 4.5, "{front:?} on {back:?}: {}", contrast(front, back));
            }
            for tone in [accent, palette.good, palette.warn, palette.bad] {
                let back = palette.tint(tone);
                assert!(contrast(tone, back) >= 3.0, "{tone:?} on {back:?}: {}", contrast(tone, back));
            }
        }
    }
}
