//! What a puppet is told and what it answers, as lines.

use data_encoding::HEXLOWER;
use hybridge_ble::RadioError;

/// What a puppet can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Open an adapter for listening.
    OpenScanner(Option<String>),
    /// Open an adapter for sending.
    OpenRadio(Option<String>),
    /// Start a scan beside those that run.
    Scan,
    /// Drop the scan that was started first.
    Drop,
    /// Wait until the scan that was started first hears this, or ends.
    Hear(Vec<u8>),
    /// Advertise this beside what is on the air.
    Advertise(Vec<u8>),
    /// Take the advert that was put on the air last off it.
    Withdraw,
}

impl Order {
    pub(crate) fn to_line(&self) -> String {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        match self {
            Self::OpenScanner(adapter) => format!("open-scanner {}", name(adapter)),
            Self::OpenRadio(adapter) => format!("open-radio {}", name(adapter)),
            Self::Scan => "scan ".to_owned(),
            Self::Drop => "drop ".to_owned(),
            Self::Hear(data) => format!("hear {}", HEXLOWER.encode(data)),
            Self::Advertise(data) => format!("advertise {}", HEXLOWER.encode(data)),
            Self::Withdraw => "withdraw ".to_owned(),
        }
    }

    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        let name = || Some(rest.to_owned()).filter(|name| !name.is_empty());
        let data = || HEXLOWER.decode(rest.as_bytes()).ok();
        Some(match word {
            "open-scanner" => Self::OpenScanner(name()),
            "open-radio" => Self::OpenRadio(name()),
            "scan" => Self::Scan,
            "drop" => Self::Drop,
            "hear" => Self::Hear(data()?),
            "advertise" => Self::Advertise(data()?),
            "withdraw" => Self::Withdraw,
            _ => return None,
        })
    }
}

/// What a puppet answers when all went well.
pub(crate) const DONE: &str = "done";

/// The answer about an error: the name of its variant, then its text.
pub(crate) fn answer(error: &RadioError) -> String {
    let debug = format!("{error:?}");
    let name = debug.split([' ', '{', '(']).next().unwrap_or_default();
    format!("{name} {error}")
}
