//! File names that mean the same to a shell's user and in a proxy's configuration.

use std::{fmt, path::Path, str::FromStr};

use thiserror::Error;

/// The absolute name of a file, free of characters with a meaning of their own in HAProxy's or nginx's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

/// A text is not such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum FileNameError {
    /// It depends on where the proxy is started.
    #[error("give the whole path, beginning with /")]
    NotAbsolute,
    /// It holds a character that the proxies take for something else.
    #[error(
        "a path for a proxy's configuration may hold letters, digits, spaces and the characters / . _ - + @ , = :"
    )]
    Character,
}

impl FromStr for FileName {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, FileNameError> {
        if !Path::new(text).is_absolute() {
            return Err(FileNameError::NotAbsolute);
        }
        let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+@,=: ".contains(letter);
        if text.chars().all(is_plain) { Ok(Self(text.to_owned())) } else { Err(FileNameError::Character) }
    }
}

/// In single quotes where there are spaces, which both proxies understand.
impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(' ') { write!(f, "'{}'", self.0) } else { f.write_str(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_have_to_be() {
        let shown = |text: &str| text.parse::<FileName>().map(|name| name.to_string());
        assert_eq!(shown("/etc/ssl/relay.pem").unwrap(), "/etc/ssl/relay.pem");
        assert_eq!(shown("/etc/my keys/relay.pem").unwrap(), "'/etc/my keys/relay.pem'");
        assert_eq!(shown("relay.pem"), Err(FileNameError::NotAbsolute));
        assert_eq!(shown(""), Err(FileNameError::NotAbsolute));
        for wrong in ["/a;b", "/a'b", "/a\"b", "/a\\b", "/a\nb", "/a$b", "/a{b", "/a#b", "/a\u{0}b"] {
            assert_eq!(shown(wrong), Err(FileNameError::Character), "{wrong}");
        }
    }
}
