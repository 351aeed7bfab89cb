//! Names that people give: to themselves, and to their passkeys.

use crate::error::SiteError;

/// The longest name in characters.
pub(crate) const MAX_NAME: usize = 64;

/// A user name as it is kept: without spaces around it.
pub(crate) fn user_name(name: &str) -> Result<&str, SiteError> {
    visible(name).ok_or(SiteError::Name)
}

/// The name of a passkey as it is kept.
pub(crate) fn passkey_name(name: &str) -> Result<&str, SiteError> {
    visible(name).ok_or(SiteError::PasskeyName)
}

fn visible(name: &str) -> Option<&str> {
    let name = name.trim();
    let length = name.chars().count();
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    (length > 0 && length <= MAX_NAME && !name.chars().any(unseen)).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_short_and_visible() {
        assert_eq!(user_name(" ada ").unwrap(), "ada");
        assert_eq!(user_name(&"é".repeat(64)).unwrap().chars().count(), 64);
        for name in ["", "  ", "a\nb", "a\u{202e}b", &"é".repeat(65)] {
            assert!(matches!(user_name(name), Err(SiteError::Name)), "{name:?}");
            assert!(matches!(passkey_name(name), Err(SiteError::PasskeyName)), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_kept_as_it_is(text in any::<String>()) {
            if let Ok(name) = user_name(&text) {
                prop_assert!(!name.is_empty() && name.chars().count() <= MAX_NAME && name.trim() == name);
                prop_assert_eq!(user_name(name).unwrap(), name);
            }
        }
    }
}
