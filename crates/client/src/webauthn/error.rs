//! What can go wrong, by whose doing it is: the origin's, the options', the phone's.

use hybridge_proto::cbor::CborError;
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
        /// What is wrong there.
        source: serde_json::Error,
    },
    /// The site's pages may not ask for passkeys of this relying party.
    #[error("a page at {origin} may not ask for passkeys of {rp_id}; use an origin at or below that host")]
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
        "{rp_id:?} is not a relying party ID; write a host name in lower case, xn-- form, without port or dot"
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
        Self::Json { line: source.line(), column: source.column(), source }
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
