//! What the phone says in its frames.

use ciborium::Value;

use super::{
    cbor::{bytes, encode, encode_with, map, text},
    rule::Rule,
};

/// Typed messages of the phone.
const CTAP: u8 = 1;
const JSON: u8 = 3;
const NOTHING_HAS_IT: u8 = 4;

/// The first message: who this is, and what it can do.
pub(super) fn first(rule: Option<Rule>) -> Vec<u8> {
    let description = match rule {
        Some(Rule::GetInfoType) => Some(get_info(rule)),
        Some(Rule::GetInfoMissing) => None,
        Some(Rule::GetInfoForm(flaw)) => Some(bytes(encode_with(&get_info(rule), Some(flaw)))),
        _ => Some(bytes(encode(&get_info(rule)))),
    };
    let features = match rule {
        Some(Rule::FeatureMissing) => Value::Array(vec![text("radio")]),
        Some(Rule::FeatureType) => text("ctap"),
        _ => Value::Array(vec![text("ctap")]),
    };
    let flaw = match rule {
        Some(Rule::FirstMessageForm(flaw)) => Some(flaw),
        _ => None,
    };
    let described = description.map(|description| (1, description));
    encode_with(&map(described.into_iter().chain([(3, features)])), flaw)
}

/// The reply of a phone with passkeys to authenticatorGetInfo, without its status.
fn get_info(rule: Option<Rule>) -> Value {
    let mut options = Vec::new();
    if rule != Some(Rule::ResidentKeyMissing) {
        options.push(("rk", true.into()));
    }
    if rule != Some(Rule::VerificationMissing) {
        options.push(("uv", true.into()));
    }
    let transports = Value::Array(vec![text("internal"), text("hybrid")]);
    map([
        (1, Value::Array(vec![text("FIDO_2_0"), text("FIDO_2_1")])),
        (3, bytes([0; 16])),
        (4, map(options)),
        (9, transports),
    ])
}

/// The messages that answer one request with this status and CBOR.
pub(super) fn replies(reply: &[u8], rule: Option<Rule>) -> Vec<Vec<u8>> {
    let typed = |kind: u8| [&[kind], reply].concat();
    match rule {
        Some(Rule::ReplyUntyped) => vec![reply.to_vec()],
        Some(Rule::ReplyTypeUnknown) => vec![typed(NOTHING_HAS_IT)],
        Some(Rule::ReplyTypeOther) => vec![typed(JSON)],
        Some(Rule::ReplyEmpty) => vec![vec![CTAP]],
        Some(Rule::ReplyUnsolicited) => vec![typed(CTAP), typed(CTAP)],
        _ => vec![typed(CTAP)],
    }
}
