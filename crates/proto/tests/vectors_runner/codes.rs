//! `digits.json` and `qr.json`.

use hybridge_proto::{
    digits::{self, DigitsError},
    keys::{PrivateKey, PublicKey, QrSecret},
    qr::{Channels, Hint, QrCode, QrError},
};

use crate::tracked::{Node, Outcome};

pub(super) fn digits_file(root: &Node<'_>) -> Outcome {
    for case in root.cases("encode")? {
        let text = case.text("digits")?;
        case.expect_bytes("bytes", case.accepted("digits", digits::decode(text))?)?;
        case.expect_text("digits", &digits::encode(&case.bytes("bytes")?))?;
    }
    for case in root.cases("decode_errors")? {
        let reason = match case.refused("digits", digits::decode(case.text("digits")?))? {
            DigitsError::NotADigit(_) => "non_digit",
            DigitsError::Length(_) => "length",
            DigitsError::Range(_) => "range",
            other => return Err(case.fail(other)),
        };
        case.expect_text("error", reason)?;
    }
    Ok(())
}

pub(super) fn qr_file(root: &Node<'_>) -> Outcome {
    root.cases("valid")?.iter().try_for_each(valid)?;
    for case in root.cases("invalid")? {
        let reason = match case.refused("the code", QrCode::parse(case.text("uri")?))? {
            QrError::Prefix => "prefix",
            QrError::Empty => "empty",
            QrError::Digits(_) => "digits",
            QrError::Cbor(_) => "cbor",
            QrError::Field(_) => "field",
            QrError::Point(_) => "point",
            other => return Err(case.fail(other)),
        };
        case.expect_text("reason", reason)?;
    }
    for case in root.cases("non_canonical")? {
        case.expect_text("chromium", "reject")?;
        let error = case.refused("the code", QrCode::parse(case.text("uri")?))?;
        case.ensure("refused for another reason than its CBOR", matches!(error, QrError::Cbor(_)))?;
    }
    for case in root.cases("scheme_case")? {
        let uri = case.text("uri")?;
        let parsed = QrCode::parse(uri);
        if !case.flag("accept")? {
            case.refused("the code", parsed)?;
            continue;
        }
        let emitted = case.accepted("the code", parsed)?.to_uri();
        case.same("the code", emitted.expose_text(), &uri.to_uppercase())?;
    }
    root.cases("qr_generator_key")?.iter().try_for_each(generator_key)
}

fn valid(case: &Node<'_>) -> Outcome {
    let uri = case.text("uri")?;
    let code = case.accepted("the code", QrCode::parse(uri))?;
    let cbor = case.bytes("cbor")?;
    let from_cbor = case.accepted("the CBOR", QrCode::from_cbor(&cbor))?;
    case.same("the code read from CBOR", &from_cbor.to_cbor(), &code.to_cbor())?;
    case.expect_text("uri", &format!("FIDO:/{}", digits::encode(&cbor)))?;

    let fields = case.get("fields")?;
    same_fields(&fields, &code)?;
    let private =
        case.accepted("identity_private", PrivateKey::from_bytes(&case.array("identity_private")?))?;
    case.same("public key", private.public_key(), &code.public_key)?;

    let effective = case.get("effective")?;
    effective.expect_number("known_domains", code.effective_known_domains())?;
    effective.same("supports_linking", &code.effective_linking(), &effective.flag("supports_linking")?)?;
    effective.expect_text("hint", code.effective_hint().effective().as_wire())?;
    effective.same("channels", code.effective_channels().numbers(), &numbers(&effective)?)?;

    let derived = case.get("derived")?;
    derived.expect_bytes("eid_key", code.secret.eid_key().expose_bytes())?;
    derived.expect_bytes("tunnel_id", code.secret.tunnel_id().as_bytes())?;
    emitted(case, &fields, &cbor)
}

fn numbers(node: &Node<'_>) -> Outcome<Vec<u64>> {
    node.elements("channels")?.iter().map(Node::as_number).collect()
}

fn same_fields(fields: &Node<'_>, code: &QrCode) -> Outcome {
    fields.expect_bytes("public_key_compressed", code.public_key.to_compressed())?;
    fields.expect_bytes("public_key_uncompressed", code.public_key.to_uncompressed())?;
    fields.expect_bytes("qr_secret", code.secret.expose_bytes())?;
    let rebuilt = read_fields(fields)?;
    fields.same("known_domains", &code.known_domains, &rebuilt.known_domains)?;
    fields.same("timestamp", &code.timestamp, &rebuilt.timestamp)?;
    fields.same("supports_linking", &code.supports_linking, &rebuilt.supports_linking)?;
    fields.same("hint", &code.hint, &rebuilt.hint)?;
    fields.same("channels", &code.channels, &rebuilt.channels)
}

/// A code made from the fields instead of from the text.
fn read_fields(fields: &Node<'_>) -> Outcome<QrCode> {
    let public_key = PublicKey::from_uncompressed(&fields.array("public_key_uncompressed")?);
    let secret = QrSecret::from_bytes(&fields.array("qr_secret")?);
    let mut code = QrCode::new(fields.accepted("public key", public_key)?, secret);
    let number = |key| fields.find(key).map(|node| node.as_number()).transpose();
    code.known_domains = number("known_domains")?;
    code.timestamp = number("timestamp")?;
    code.supports_linking = fields.find("supports_linking").map(|node| node.as_flag()).transpose()?;
    code.hint = fields.find("hint").map(|node| node.as_text().map(Hint::from_wire)).transpose()?;
    code.channels =
        fields.find("channels").map(|_| numbers(fields).map(Channels::from_numbers)).transpose()?;
    Ok(code)
}

/// The other direction: the fields give the same bytes. A code with members that are not among the fields (unknown
/// keys, the old boolean) comes out without them.
fn emitted(case: &Node<'_>, fields: &Node<'_>, cbor: &[u8]) -> Outcome {
    let code = read_fields(fields)?;
    let emitted = code.to_cbor();
    let has_unknown_members = match (cbor.first(), emitted.first()) {
        (Some(given), Some(ours)) => given > ours,
        _ => return Err(case.fail("no CBOR")),
    };
    if has_unknown_members {
        return same_fields(fields, &case.accepted("our own CBOR", QrCode::from_cbor(&emitted))?);
    }
    case.expect_bytes("cbor", emitted.as_slice())?;
    case.expect_text("uri", code.to_uri().expose_text())
}

fn generator_key(case: &Node<'_>) -> Outcome {
    let seed = case.bytes("identity_seed")?;
    case.expect_bytes("qr_key_48", [seed.as_slice(), &case.bytes("qr_secret")?].concat())?;
    let key = PrivateKey::from_seed(&seed);
    case.expect_bytes("identity_private", key.expose_bytes())?;
    case.expect_bytes("public_key_compressed", key.public_key().to_compressed())?;
    case.expect_bytes("public_key_uncompressed", key.public_key().to_uncompressed())
}
