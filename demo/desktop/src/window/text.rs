//! What others call things, made safe to show.

use std::fmt;

use serde::Deserialize;

/// Characters of a name that are shown.
const NAME: usize = 48;
/// Characters of a domain or an origin that are shown.
const SITE: usize = 64;
/// Characters of a message that are shown.
const MESSAGE: usize = 240;

/// Name of a program, a user or a phone: one line, at most 48 characters, nothing that turns or hides other text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Name(String);

/// A relying party ID or an origin: like a [`Name`], but of one that is too long the end is kept, where it says whose it
/// is. At most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Site(String);

/// A sentence that explains an error: one line, at most 240 characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Message(String);

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(beginning(&text, NAME))
    }
}

impl From<String> for Site {
    fn from(text: String) -> Self {
        let text = one_line(&text);
        let left_out = text.chars().count().saturating_sub(SITE);
        if left_out == 0 {
            return Self(text);
        }
        let end: String = text.chars().skip(left_out.saturating_add(1)).collect();
        Self(format!("…{end}"))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self(beginning(&text, MESSAGE))
    }
}

macro_rules! shown {
    ($($text:ty),*) => {$(
        impl $text {
            /// As it is shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $text {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

shown!(Name, Site, Message);

fn beginning(text: &str, limit: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= limit {
        return text;
    }
    let mut text: String = text.chars().take(limit.saturating_sub(1)).collect();
    text.push('…');
    text
}

/// White space becomes single spaces, and what is not seen but changes what is becomes a question mark.
fn one_line(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(visible).collect();
    words.join(" ")
}

fn visible(word: &str) -> String {
    word.chars().map(|letter| if is_hidden(letter) { '?' } else { letter }).collect()
}

/// Control characters, and those of Unicode that set directions, join, separate or stand for nothing.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}'
            | '\u{ffa0}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_cannot_turn_or_hide_what_is_around_them() {
        let name = Name::from("fire\u{202e}xof\u{200b}\n\tfox\u{7}".to_owned());
        assert_eq!(name.as_str(), "fire?xof? fox?");
    }

    #[test]
    fn of_a_long_site_the_end_is_kept() {
        let site = Site::from(format!("accounts.bank.example.{}.thief.example", "a".repeat(80)));
        assert!(site.as_str().starts_with('…') && site.as_str().ends_with("aaa.thief.example"), "{site}");
        assert_eq!(site.as_str().chars().count(), SITE);
        let name = Name::from("x".repeat(49));
        assert!(name.as_str().ends_with('…') && name.as_str().chars().count() == NAME);
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["example.com", "Zoë Müller", "山田 太郎", "Иван", "a–b (c)"] {
            assert_eq!(Name::from(text.to_owned()).as_str(), text);
            assert_eq!(Site::from(text.to_owned()).as_str(), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_one_bounded_visible_line(text in any::<String>(), times in 1..40_usize) {
            let text = text.repeat(times);
            for (shown, limit) in [
                (Name::from(text.clone()).0, NAME),
                (Site::from(text.clone()).0, SITE),
                (Message::from(text.clone()).0, MESSAGE),
            ] {
                prop_assert!(shown.chars().count() <= limit);
                prop_assert!(!shown.chars().any(is_hidden));
            }
        }
    }
}
