//! What can go wrong, by whose doing it is: the origin's, the options', the phone's.

use hybridge_proto::cbor::CborError;
use serde::de::Error as _;
use thiserror::Error;

/// Why a text is no origin that can ask for passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The text is not a URL.
    #[error("the origin is not a URL; write it like https://example.com")]
    Malformed,
    /// There is more in it than scheme, host and port.
    #[error("the origin has a path, a query, a fragment or a user name; write it like https://example.com")]
    NotAlone,
    /// Neither `https`, nor `http` on this computer.
    #[error("the origin is not secure; use https, or http on localhost")]
    NotSecure,
    /// The host is an address, or ends in a dot.
    #[error(
        "passkeys belong to host names, not to addresses; name the site by a host name without a final dot"
    )]
    NotADomain,
}

/// Why options are not what a phone can be asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The text is not JSON, or a member is missing or has the wrong type.
    #[error("the options are not usable at line {line}, column {column}; correct them there")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1; 0 if it is the line's end.
        column: usize,
        /// What is wrong there, without the value that is.
        source: serde_json::Error,
    },
    /// The site's pages may not ask for passkeys of this relying party.
    #[error(
        "a page at {origin} may not ask for passkeys of {}; use an origin at or below that host",
        shortened(rp_id)
    )]
    ForeignRelyingParty {
        /// Where the page is from.
        origin: String,
        /// Whose passkeys it asked for.
        rp_id: String,
    },
    /// The relying party ID is a name under which anybody can register names, such as `co.uk`.
    #[error(
        "{rp_id} is a public suffix, which many sites share; use the name of one site as relying party ID"
    )]
    PublicSuffix {
        /// The relying party ID.
        rp_id: String,
    },
    /// The relying party ID is not a host name in the form that is hashed.
    #[error(
        "{:?} is not a relying party ID; write a host name in lower case, xn-- form, without port or dot",
        shortened(rp_id)
    )]
    NotAHost {
        /// The relying party ID.
        rp_id: String,
    },
    /// The user's ID is empty or too long.
    #[error("the user's ID has {length} bytes; give it 1 to 64")]
    UserId {
        /// Its length in bytes.
        length: usize,
    },
    /// None of the kinds of keys is one for WebAuthn.
    #[error("no key parameter is of type public-key; offer one, such as algorithm -7 (ES256)")]
    NoAlgorithm,
    /// Credentials are listed, and none of them is one for WebAuthn.
    #[error("no allowed credential is of type public-key; list one, or leave the list empty")]
    NoCredential,
    /// The passkey is to be on this computer.
    #[error("the passkey is wanted on this computer (attachment platform), and a phone is another device")]
    Platform,
}

impl From<serde_json::Error> for OptionsError {
    fn from(source: serde_json::Error) -> Self {
        let (line, column) = (source.line(), source.column());
        let source = if source.is_data() {
            serde_json::Error::custom(without_value(&source.to_string()))
        } else {
            source
        };
        Self::Json { line, column, source }
    }
}

/// Leaves out the value that an error quotes: it is the website's or the user's, and may be as long as the options. Names
/// of members are ours.
fn without_value(text: &str) -> String {
    let names_a_member = ["missing field ", "duplicate field "].iter().any(|start| text.starts_with(start));
    let Some((kind, rest)) = text.split_once(['"', '`']).filter(|_| !names_a_member) else {
        return text.to_owned();
    };
    // What was expected is ours too, and has no such words in it.
    let expected = rest.rfind(", expected ").and_then(|place| rest.get(place..));
    format!("{}{}", kind.trim_end(), expected.unwrap_or_default())
}

/// No host name is longer than this, so one that may be a name is shown in full.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 253;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// What is wrong with a phone, by its description or its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// It cannot keep a passkey that works without the account's name.
    #[error("the phone cannot keep passkeys for signing in without a name; use another phone")]
    NotDiscoverable,
    /// It cannot check that its owner holds it.
    #[error("the phone cannot verify its owner; set up a screen lock on it, or use another phone")]
    NoVerification,
    /// What it sent is not canonical CBOR.
    #[error("the phone's reply breaks the form that CTAP demands; update the phone or use another one")]
    NotCanonical(#[from] CborError),
    /// A part is missing or has the wrong type.
    #[error("the phone's reply lacks a usable {0}; update the phone or use another one")]
    Malformed(&'static str),
    /// The reply is about another relying party.
    #[error("the phone answered for another site; update the phone or use another one")]
    ForeignReply,
    /// The reply is about a credential that was not allowed.
    #[error("the phone answered with a passkey that was not asked for; update the phone or use another one")]
    UnlistedCredential,
}
