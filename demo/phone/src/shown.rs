//! Foreign text, made fit for a terminal.

use std::fmt;

/// The most characters of a foreign text that are shown.
const MAX_CHARS: usize = 64;
/// The longest host name, in bytes.
const MAX_HOST: usize = 253;

/// Text that a website or a computer has chosen, for a person to read: without control characters, without those
/// that turn the direction of writing or cannot be seen, and cut to 64 characters.
///
/// Each character left out is shown as `\u{FFFD}`, and a cut as `…`.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        for character in rest.by_ref().take(MAX_CHARS) {
            let character = if is_fit(character) { character } else { char::REPLACEMENT_CHARACTER };
            fmt::Write::write_char(f, character)?;
        }
        if rest.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// The host name of a relying party, for a person to read: letters, digits, dots and hyphens of ASCII, and every
/// other character written out as its number, so that no name looks like another.
#[derive(Clone, Copy)]
pub struct ShownHost<'a>(pub &'a str);

impl fmt::Display for ShownHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.ceil_char_boundary(self.0.len().saturating_sub(MAX_HOST));
        let shown = self.0.get(end..).unwrap_or_default();
        if shown.len() < self.0.len() {
            f.write_str("...")?;
        }
        for character in shown.chars() {
            if character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | ':') {
                fmt::Write::write_char(f, character)?;
            } else {
                write!(f, "{}", character.escape_unicode())?;
            }
        }
        Ok(())
    }
}

fn is_fit(character: char) -> bool {
    let unseen = matches!(character,
        // Soft hyphen, combining grapheme joiner, Hangul and Khmer fillers, Mongolian separators.
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        // Zero-width characters, marks and overrides of direction, line separators, invisible operators.
        | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        // Fillers, variation selectors, the byte order mark, interlinear annotations, tags.
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}');
    !character.is_control() && !unseen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_mislead_is_replaced() {
        for (text, shown) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("žofie@příklad.example", "žofie@příklad.example"),
            ("山田太郎", "山田太郎"),
            ("a\u{1b}[2Jb", "a\u{FFFD}[2Jb"),
            ("a\nb\r\tc\0", "a\u{FFFD}b\u{FFFD}\u{FFFD}c\u{FFFD}"),
            ("\u{202e}moc.live", "\u{FFFD}moc.live"),
            ("a\u{2066}b\u{2069}\u{200f}c", "a\u{FFFD}b\u{FFFD}\u{FFFD}c"),
            ("a\u{200b}d\u{feff}a", "a\u{FFFD}d\u{FFFD}a"),
            ("a\u{9b}31mb", "a\u{FFFD}31mb"),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
        assert_eq!(Shown(&"é".repeat(64)).to_string(), "é".repeat(64));
        assert_eq!(Shown(&"é".repeat(65)).to_string(), "é".repeat(64) + "…");
    }

    #[test]
    fn a_host_name_is_ascii_or_numbers() {
        for (text, shown) in [
            ("login.example.com", "login.example.com"),
            ("localhost", "localhost"),
            ("еxample.com", "\\u{435}xample.com"),
            ("a.example\u{202e}\n", "a.example\\u{202e}\\u{a}"),
            ("a b", "a\\u{20}b"),
        ] {
            assert_eq!(ShownHost(text).to_string(), shown);
        }
        let long = format!("{}.evil.example", "a".repeat(300));
        assert_eq!(ShownHost(&long).to_string(), format!("...{}", &long[long.len() - 253..]));
    }

    proptest! {
        #[test]
        fn nothing_shown_moves_the_cursor_or_the_direction(text in any::<String>()) {
            let shown = Shown(&text).to_string();
            prop_assert!(shown.chars().all(is_fit));
            prop_assert!(shown.chars().count() <= MAX_CHARS + 1);
            prop_assert!(ShownHost(&text).to_string().chars().all(|c| c.is_ascii_graphic()));
        }
    }
}
