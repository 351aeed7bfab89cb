//! The rules that a mutant phone can break.

use std::fmt;

/// Makes [`Rule`] of two lists: rules that are broken in one way, and forms that are broken in any [`CborFlaw`].
macro_rules! rules {
    (
        $($(#[$doc:meta])+ $rule:ident = $name:literal,)+
        forms: $($(#[$form_doc:meta])+ $form:ident = $form_name:literal,)+
    ) => {
        /// One rule of the protocol or of CTAP that a [`MutantPhone`](super::MutantPhone) breaks, and nothing else.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])+ $rule,)+
            $($(#[$form_doc])+ $form(CborFlaw),)+
        }

        impl Rule {
            /// Every rule.
            pub fn all() -> impl Iterator<Item = Self> {
                let forms = CborFlaw::ALL.into_iter().flat_map(|flaw| [$(Self::$form(flaw)),+]);
                [$(Self::$rule),+].into_iter().chain(forms)
            }

            const fn name(self) -> (&'static str, Option<CborFlaw>) {
                match self {
                    $(Self::$rule => ($name, None),)+
                    $(Self::$form(flaw) => ($form_name, Some(flaw)),)+
                }
            }
        }
    };
}

rules! {
    /// The advert's tag does not verify.
    AdvertTag = "advert-tag",
    /// The advert's reserved byte is 1.
    AdvertReserved = "advert-reserved",
    /// The advert names tunnel service 2, which has no host.
    AdvertDomain = "advert-domain",
    /// The advert offers a Bluetooth channel that the code does not ask for, so it is longer than 20 bytes.
    AdvertLength = "advert-length",
    /// The handshake's key is salted with another nonce than the advert's: what a phone does that is not near.
    PskSalt = "psk-salt",
    /// The handshake starts with the prologue of the other pattern.
    Prologue = "prologue",
    /// The tag of message 2 does not verify.
    HandshakeTag = "handshake-tag",
    /// Message 2 has 80 bytes.
    HandshakeShort = "handshake-short",
    /// Message 2 has 82 bytes.
    HandshakeLong = "handshake-long",
    /// The key in message 2 is not a point on the curve.
    HandshakePoint = "handshake-point",
    /// Each side's key is used for the other direction.
    KeysSwapped = "keys-swapped",
    /// The counter in the nonce is little-endian. Shows from the second frame on.
    NonceOrder = "nonce-order",
    /// The counter starts with 1.
    CounterStart = "counter-start",
    /// Frames are sealed with the associated data of the protocol's first version.
    AssociatedData = "associated-data",
    /// The last byte of a frame's plaintext, the number of zeros before it, is more than there are.
    Padding = "padding",
    /// The first message holds no getInfo.
    GetInfoMissing = "get-info-missing",
    /// The first message holds getInfo as a map and not as a byte string.
    GetInfoType = "get-info-type",
    /// The first message names features, and `ctap` is none of them.
    FeatureMissing = "feature-missing",
    /// The first message has a text where the list of features belongs.
    FeatureType = "feature-type",
    /// The getInfo does not offer discoverable passkeys.
    ResidentKeyMissing = "resident-key-missing",
    /// The getInfo does not offer to verify the user.
    VerificationMissing = "verification-missing",
    /// A reply has no type byte.
    ReplyUntyped = "reply-untyped",
    /// A reply has type 4, which nothing has.
    ReplyTypeUnknown = "reply-type-unknown",
    /// A reply has the type of digital credentials.
    ReplyTypeOther = "reply-type-other",
    /// A reply has a type byte and nothing behind it, not even a status.
    ReplyEmpty = "reply-empty",
    /// A reply comes that nobody asked for, after the one that was.
    ReplyUnsolicited = "reply-unsolicited",
    /// The passkey's data are about another relying party's ID.
    RpIdHash = "rp-id-hash",
    /// A signature is over another challenge.
    Challenge = "challenge",
    /// A signature does not verify.
    Signature = "signature",
    /// An assertion names another passkey.
    CredentialId = "credential-id",
    /// A passkey is made or used without verifying the user, though that was asked for.
    UserVerification = "user-verification",
    forms:
    /// The first message is not canonical CBOR.
    FirstMessageForm = "first-message",
    /// The getInfo is not canonical CBOR.
    GetInfoForm = "get-info",
    /// A reply is not canonical CBOR.
    ReplyForm = "reply",
}

/// A way in which CBOR is well-formed, or nearly, and not canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CborFlaw {
    /// The map's keys are in descending order.
    Unsorted,
    /// The number of the map's entries is written in more bytes than it needs.
    LongForm,
    /// The map has no length and ends with a break.
    Indefinite,
    /// A byte follows the map.
    Trailing,
}

impl CborFlaw {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Unsorted, Self::LongForm, Self::Indefinite, Self::Trailing];

    const fn name(self) -> &'static str {
        match self {
            Self::Unsorted => "unsorted",
            Self::LongForm => "long-form",
            Self::Indefinite => "indefinite",
            Self::Trailing => "trailing",
        }
    }
}

impl Rule {
    /// Whether it is about the advert. The phone then sends the wrong advert first and the right one afterwards, so
    /// that a laptop that lets the wrong one pass can go on.
    pub const fn is_about_adverts(self) -> bool {
        matches!(self, Self::AdvertTag | Self::AdvertReserved | Self::AdvertDomain | Self::AdvertLength)
    }
}

/// Writes its name in lower case with hyphens, such as `reply-unsorted`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            (name, None) => f.write_str(name),
            (name, Some(flaw)) => write!(f, "{name}-{}", flaw.name()),
        }
    }
}
