//! All cases: what has to work, and what has to fail.

use hybridge_proto::domain::DomainId;
use hybridge_testkit::mutant::{CborFlaw, Rule};

use crate::{
    case::{Case, Expected, Step},
    meddling::Meddling,
    phone::Phone,
    relying_party::Ceremony,
};

const CREATE: Ceremony = Ceremony::Create { discoverable: true, excluding: false };
const CREATE_AGAIN: Ceremony = Ceremony::Create { discoverable: true, excluding: true };
const CREATE_HIDDEN: Ceremony = Ceremony::Create { discoverable: false, excluding: false };
const GET: Ceremony = Ceremony::Get { listed: false };
const GET_LISTED: Ceremony = Ceremony::Get { listed: true };

const WILLING: Phone = Phone::Program { agrees: true };
const UNWILLING: Phone = Phone::Program { agrees: false };
const FLAWLESS: Phone = Phone::Mutant(None);

/// A tunnel service whose host follows from its ID.
const HASHED: DomainId = DomainId::new(266);

/// The case that is repeated.
pub(crate) const REPEATED: &str = "create, get";

/// What Chromium logs.
const HANDSHAKE: &str = "caBLEv2 handshake failed";
const FIRST_NOT_OPENED: &str = "decryption failed for caBLE post-handshake message";
const NOT_OPENED: &str = "decryption failed for caBLE message";

/// What it does not log: a rule that has no case here is a failure.
const NEVER: &str = "a rule without a case";

/// Every case, in the order of the table.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = with_the_program();
    cases.extend(controls());
    // A second reply finds a Chromium that has said goodbye and hears nothing but updates.
    cases.extend(Rule::all().filter(|rule| *rule != Rule::ReplyUnsolicited).map(broken));
    cases.extend(with_a_bad_service());
    cases
}

fn with_the_program() -> Vec<Case> {
    let verified = |ceremony| step(ceremony, WILLING, Expected::Verified);
    let at = |name: &str, domain| Case { domain, ..case(name, [verified(CREATE), verified(GET)]) };
    vec![
        case(REPEATED, [verified(CREATE), verified(GET)]),
        case(
            "create, excluded",
            [verified(CREATE), step(CREATE_AGAIN, WILLING, Expected::Exception("InvalidStateError"))],
        ),
        case("create, not discoverable", [verified(CREATE_HIDDEN)]),
        case("create, get with allow list", [verified(CREATE), verified(GET_LISTED)]),
        case(
            "create, get with allow list, not discoverable",
            [verified(CREATE_HIDDEN), verified(GET_LISTED)],
        ),
        case("create, refused", [step(CREATE, UNWILLING, Expected::Exception("NotAllowedError"))]),
        case(
            "get, refused",
            [verified(CREATE), step(GET, UNWILLING, Expected::Exception("NotAllowedError"))],
        ),
        case("create, phone reads the screen", [step(CREATE, Phone::Watcher, Expected::Verified)]),
        at("tunnel service 0", DomainId::GOOGLE),
        at("tunnel service 1", DomainId::APPLE),
        at("tunnel service 266", HASHED),
        Case { translated: true, ..case("service data under 0xFDE2", [verified(CREATE), verified(GET)]) },
    ]
}

/// The test kit's phone with no rule broken: that it is let in shows that a refusal is for the broken rule.
fn controls() -> Vec<Case> {
    let verified = |ceremony| step(ceremony, FLAWLESS, Expected::Verified);
    vec![case("mutant: no rule broken", [verified(CREATE), verified(GET), verified(GET_LISTED)])]
}

/// The case of a phone that breaks a rule.
fn broken(rule: Rule) -> Case {
    let (ceremony, expected) = match rule {
        Rule::Challenge | Rule::Signature => (GET, Expected::Refused("AuthenticationFailure")),
        Rule::CredentialId => (GET, Expected::Refused("CredentialNotFound")),
        Rule::UserVerification => (CREATE, Expected::Refused("UserNotVerified")),
        _ => (CREATE, noticed(rule)),
    };
    let last = step(ceremony, Phone::Mutant(Some(rule)), expected);
    let name = format!("mutant: {rule}");
    if ceremony == CREATE {
        case(&name, [last])
    } else {
        case(&name, [step(CREATE, FLAWLESS, Expected::Verified), last])
    }
}

/// How Chromium itself notices that a rule is broken.
fn noticed(rule: Rule) -> Expected {
    use Expected::{Logged, PassedOver, Rejected};
    match rule {
        Rule::AdvertTag | Rule::AdvertReserved | Rule::AdvertDomain => PassedOver(": no v2 match", 1),
        // It looks at the device, sees no advert in what it sends, and then looks at the one with the right advert.
        Rule::AdvertLength => PassedOver("Gatt services have not been fully resolved for device", 2),
        Rule::PskSalt
        | Rule::Prologue
        | Rule::HandshakeTag
        | Rule::HandshakeShort
        | Rule::HandshakeLong
        | Rule::HandshakePoint => Logged(HANDSHAKE),
        Rule::KeysSwapped | Rule::CounterStart | Rule::AssociatedData | Rule::Padding => {
            Logged(FIRST_NOT_OPENED)
        }
        Rule::NonceOrder => Logged(NOT_OPENED),
        Rule::FirstMessageForm(_) => Logged("decode failed for caBLE post-handshake message"),
        Rule::GetInfoMissing | Rule::GetInfoType => {
            Logged("caBLE post-handshake message missing getInfo response")
        }
        Rule::FeatureMissing => Logged("caBLE device doesn't support CTAP"),
        Rule::FeatureType => Logged("invalid features data in caBLE post-handshake message"),
        Rule::GetInfoForm(flaw) => Logged(parse_error(flaw)),
        // It asks the phone to be touched, so that its owner sees that it is of no use, and not for a passkey.
        Rule::ResidentKeyMissing | Rule::VerificationMissing => Logged("<- 0xb (kAuthenticatorSelection)"),
        // The status becomes the type: that of a goodbye, which has nothing behind it.
        Rule::ReplyUntyped => Rejected("invalid shutdown frame"),
        Rule::ReplyTypeUnknown => Rejected("invalid message type 4"),
        Rule::ReplyTypeOther => Rejected("incorrect message type in reply"),
        Rule::ReplyEmpty => Rejected("-> (error reading)"),
        Rule::ReplyForm(flaw) => Rejected(parse_error(flaw)),
        Rule::RpIdHash => Rejected("Invalid RP ID hash"),
        _ => Logged(NEVER),
    }
}

/// What Chromium says of CBOR with a flaw.
const fn parse_error(flaw: CborFlaw) -> &'static str {
    match flaw {
        CborFlaw::Unsorted => "'Map keys must be strictly monotonically increasing",
        CborFlaw::LongForm => "'Unsigned integers must be encoded with minimum number of bytes",
        CborFlaw::Indefinite => "'Unknown additional info format in the first byte",
        CborFlaw::Trailing => "'Trailing data bytes are not allowed",
        _ => NEVER,
    }
}

fn with_a_bad_service() -> Vec<Case> {
    let bad = |name: &str, meddling, logged| Case {
        meddling: Some(meddling),
        ..case(name, [step(CREATE, FLAWLESS, Expected::Logged(logged))])
    };
    vec![
        bad(
            "service: no fido.cable",
            Meddling::NoSubprotocol,
            "Sent non-empty 'Sec-WebSocket-Protocol' header but no response was received",
        ),
        bad("service: text message", Meddling::TextMessage, "-> (error reading)"),
    ]
}

fn case(name: &str, steps: impl Into<Vec<Step>>) -> Case {
    Case { name: name.to_owned(), domain: HASHED, translated: false, meddling: None, steps: steps.into() }
}

const fn step(ceremony: Ceremony, phone: Phone, expected: Expected) -> Step {
    Step { ceremony, phone, expected }
}
