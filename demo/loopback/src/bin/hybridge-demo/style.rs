//! Colours, where they are wanted.

use std::io::IsTerminal;

/// Whether to use escape sequences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    coloured: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ink {
    Website,
    Laptop,
    Phone,
    TunnelService,
    Air,
    /// Beside the point.
    Faint,
    Heading,
    Good,
    Bad,
}

impl Style {
    /// Colours only for a person at a terminal who has not declined them (<https://no-color.org>).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { coloured: stream.is_terminal() && !declined }
    }

    /// Whether escape sequences may be used.
    pub(crate) const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// The text in its ink.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Website => "35",
            Ink::Laptop => "34",
            Ink::Phone => "32",
            Ink::TunnelService => "33",
            Ink::Air => "36",
            Ink::Faint => "2",
            Ink::Heading => "1",
            Ink::Good => "1;32",
            Ink::Bad => "1;31",
        };
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
