//! `messages.json`.

use hybridge_proto::{
    json::{DigitalRequest, DigitalResponse},
    message::{Features, Message, PostHandshake, Revision, Update},
};
use serde_json::Value;

use crate::tracked::{Node, Outcome};

pub(super) fn messages_file(root: &Node<'_>) -> Outcome {
    root.cases("post_handshake")?.iter().try_for_each(post_handshake)?;
    root.cases("post_handshake_v2_0")?.iter().try_for_each(revision_0)?;
    root.cases("typed_messages")?.iter().try_for_each(typed)?;
    for case in root.cases("bad_typed_messages")? {
        case.refused("the message", Message::decode(&case.bytes("message")?))?;
    }
    let json = root.get("json_messages")?;
    json.cases("requests")?.iter().try_for_each(request)?;
    json.cases("responses")?.iter().try_for_each(response)
}

/// A client that needs CTAP accepts what is well-formed and offers it.
fn post_handshake(case: &Node<'_>) -> Outcome {
    let plaintext = case.bytes("plaintext")?;
    let decoded = PostHandshake::decode(&plaintext);
    let accepted = decoded.as_ref().is_ok_and(|message| message.features.ctap);
    case.same("accept_for_ctap", &accepted, &case.flag("accept_for_ctap")?)?;
    let get_info = case.find("get_info").map(|value| value.as_bytes()).transpose()?;
    let mut names = match case.find("features") {
        Some(_) => case.elements("features")?.iter().map(Node::as_text).collect::<Outcome<Vec<_>>>()?,
        None => Vec::new(),
    };
    names.sort_unstable();
    match decoded {
        Ok(message) => {
            case.same("get_info", &message.get_info, &get_info)?;
            case.same("features", &feature_names(message.features), &names)?;
            emitted(case, &message, &plaintext)
        }
        // The fields of a refused message are not given out; they stand somewhere in it.
        Err(_) => {
            let parts = names.iter().map(|name| name.as_bytes()).chain(get_info.as_deref());
            let present = parts.filter(|part| !holds(&plaintext, part) && **part != *b"ctap").count() == 0;
            case.ensure("a field is not in the message", present)
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len().max(1)).any(|window| window == part)
}

/// In alphabetical order: the order on the wire means nothing.
fn feature_names(features: Features) -> Vec<&'static str> {
    let names = [(features.ctap, "ctap"), (features.digital_credentials, "dc")];
    names.into_iter().filter_map(|(has, name)| has.then_some(name)).collect()
}

/// Ours says the same, in the same bytes unless the given message has something that ours leaves out.
fn emitted(case: &Node<'_>, message: &PostHandshake, plaintext: &[u8]) -> Outcome {
    let ours = message.encode();
    if ours.len() == plaintext.len() {
        case.same("the message as we write it", ours.as_slice(), plaintext)?;
    }
    case.same("the message after writing it", &PostHandshake::decode(&ours).as_ref(), &Ok(message))
}

/// The padded form means what the bare map means, and is told apart from it.
fn revision_0(case: &Node<'_>) -> Outcome {
    let cbor = case.bytes("cbor")?;
    let padded = PostHandshake::decode(&case.bytes("plaintext")?);
    match (padded, PostHandshake::decode(&cbor)) {
        (Ok(padded), Ok(bare)) => {
            case.same("get_info", &padded.get_info, &bare.get_info)?;
            case.same("features", &padded.features, &bare.features)?;
            case.same("revision", &padded.revision, &Revision::Untyped)
        }
        (padded, bare) => case.same("the answer", &padded, &bare),
    }
}

fn typed(case: &Node<'_>) -> Outcome {
    let message = case.accepted("the message", Message::decode(&case.bytes("message")?))?;
    case.expect_number("type", message.kind().as_byte())?;
    let payload = match &message {
        Message::Ctap(payload) | Message::Update(payload) | Message::Json(payload) => payload.clone(),
        _ => Vec::new(),
    };
    case.expect_bytes("payload", payload)?;
    let payload = case.bytes("payload")?;
    let ours = match case.number("type")? {
        0 => Message::Shutdown,
        1 => Message::Ctap(payload),
        2 => {
            case.same("the update", &Update::decode(&payload), &Ok(Update::default()))?;
            Message::Update(payload)
        }
        _ => Message::Json(payload),
    };
    case.expect_bytes("message", ours.encode())
}

fn request(case: &Node<'_>) -> Outcome {
    let text = case.text("json")?;
    let request = case.accepted("the request", DigitalRequest::decode(text.as_bytes()))?;
    case.expect_text("origin", &request.origin)?;
    let ours: Value = case.accepted("our request", serde_json::from_slice(&request.encode()))?;
    let right: Value = case.accepted("the request", serde_json::from_str(text))?;
    case.expect_text("request_type", ours["requestType"].as_str().unwrap_or_default())?;
    case.same("the request as we write it", &ours, &right)
}

fn response(case: &Node<'_>) -> Outcome {
    let decoded = DigitalResponse::decode(case.text("json")?.as_bytes());
    let result = match &decoded {
        Ok(DigitalResponse::Credential { protocol, .. }) => {
            case.expect_text("protocol", protocol)?;
            "ok"
        }
        Ok(DigitalResponse::Failed(error)) => {
            case.expect_text("error", error.as_wire())?;
            "error"
        }
        Ok(_) => return Err(case.fail("an unknown kind of answer")),
        Err(_) => "invalid",
    };
    case.expect_text("result", result)?;
    let Ok(answer) = decoded else { return Ok(()) };
    case.same("the answer after writing it", &DigitalResponse::decode(&answer.encode()), &Ok(answer))
}
