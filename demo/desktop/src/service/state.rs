//! How the service stands, in words for a person.

/// What a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no key yet.
    Starting,
    /// Programs see a key.
    Ready,
    /// The same, but when one asked, Bluetooth could not be used.
    NoBluetooth(String),
    /// There is none, and why.
    NoKey(String),
    /// There is none, by order.
    Paused,
}

impl State {
    /// A line.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Starting => "Starting".to_owned(),
            Self::Ready => "Ready: programs see a security key".to_owned(),
            Self::NoBluetooth(why) => format!("Ready, but no phone can be reached: {why}"),
            Self::NoKey(why) if why.is_empty() => {
                "No security key: it ended without a word, and is started again".to_owned()
            }
            Self::NoKey(why) => format!("No security key: {why}"),
            Self::Paused => "Paused: programs see no security key".to_owned(),
        }
    }

    /// Whether it should be looked at.
    pub(crate) const fn is_trouble(&self) -> bool {
        matches!(self, Self::NoBluetooth(_) | Self::NoKey(_))
    }
}
