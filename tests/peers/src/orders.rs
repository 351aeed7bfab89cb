//! What the suite and the process of a peer say to each other: one JSON value a line, over standard input and output.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The suite to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// To a laptop: make a passkey. The options are those of `navigator.credentials.create()`.
    Create { options: Value, way: Way },
    /// To a laptop: sign in. The options are those of `navigator.credentials.get()`.
    Get { options: Value, way: Way },
    /// To a phone: answer the code with this text by way of the tunnel service with this number.
    Answer { code: String, domain: u16, agrees: bool },
    /// To a laptop: how many phones it remembers.
    CountLinks,
}

/// How a laptop is to reach a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// By a code.
    Code,
    /// By a code that offers Bluetooth L2CAP beside the tunnel.
    CodeWithL2cap,
    /// By a code, and remember the phone if it lets itself be remembered.
    CodeAndLink,
    /// By calling the phone that it remembers.
    Link,
}

/// A peer to the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A laptop shows a code with this text.
    Code(String),
    /// A laptop has a credential for the website.
    Credential(Value),
    /// The phone refused with this CTAP status.
    Refused(u8),
    /// A phone has answered, whatever it said.
    Answered,
    /// The phones that a laptop remembers.
    Links(usize),
    /// There was no answer, for this reason.
    Failed(String),
}

/// The page that all ceremonies are for.
pub(crate) const ORIGIN: &str = "https://peers.example";
/// Its relying party ID.
pub(crate) const RP_ID: &str = "peers.example";
