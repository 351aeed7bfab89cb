//! `interop.json`: bytes captured from real products.

use hybridge_proto::{
    advert::{self, Advert, AdvertPlaintext},
    cbor::check_canonical,
    domain::DomainId,
    frame::{TrafficKey, pad},
    ids::TunnelId,
    keys::{EidKey, QrSecret},
    message::PostHandshake,
    qr::QrCode,
    service::ServicePath,
};

use super::{adverts, frames, iphone, keys};
use crate::tracked::{Node, Outcome};

pub(super) fn interop_file(root: &Node<'_>) -> Outcome {
    iphone::transcript(&root.get("ios_transcript")?.case())?;
    android_advert(&root.get("android_advert")?.case())?;
    google_advert(&root.get("google_advert_2022")?.case())?;
    captured_code(&root.get("chrome_qr_2022")?.case())?;
    captured_code(&root.get("safari_qr_2022")?.case())?;
    let frame = root.get("chromium_frame")?.case();
    frame.expect_bytes("padded", pad(&frame.bytes("message")?))?;
    frames::frame(&frame, &TrafficKey::from_bytes(&frame.array("key")?), "ciphertext")?;
    for key in ["post_handshake_android_chrome", "post_handshake_ios16"] {
        let sample = root.get(key)?.case();
        let message = sample.accepted("the message", PostHandshake::decode(&sample.as_bytes()?))?;
        let get_info = message.get_info.as_deref().unwrap_or_default();
        sample.accepted("the getInfo reply", check_canonical(get_info))?;
        sample.same("the message as we write it", &message.encode(), &sample.as_bytes()?)?;
    }
    root.cases("boringssl_ec_key_from_seed")?.iter().try_for_each(keys::key_from_seed)?;
    for (id, host) in root.get("domains")?.members()? {
        let host = host.case();
        let id = host.accepted("the ID", id.parse().map(DomainId::new))?;
        adverts::host(&host, id, host.as_text()?)?;
    }
    Ok(())
}

/// The QR secret of this one is unknown, so it must not open under a key that is known.
fn android_advert(case: &Node<'_>) -> Outcome {
    let data = case.bytes("service_data")?;
    let advert = Advert::from_service_data(&data).ok_or_else(|| case.fail("too short"))?;
    let suffix = case.bytes("suffix")?;
    case.expect_bytes("service_data", [advert.as_bytes().as_slice(), &suffix].concat())?;
    let opened = advert::open(&EidKey::from_bytes(&[0; 64]), &advert);
    case.ensure("the advert opens under a foreign key", opened.is_none())?;
    adverts::suffix_psm(case, &advert, &suffix)
}

fn google_advert(case: &Node<'_>) -> Outcome {
    let secret = QrSecret::from_bytes(&case.array("qr_secret")?);
    let plaintext = opened(case, &secret)?;
    let tunnel = TunnelId::from_bytes(case.array("tunnel_id")?);
    case.same("tunnel ID", &secret.tunnel_id(), &tunnel)?;
    let path = ServicePath::Connect { routing: plaintext.routing_id(), tunnel };
    adverts::url(case, "connect_url", plaintext.domain(), path)
}

/// A captured advert opens, and sealing gives the same bytes.
pub(super) fn opened(case: &Node<'_>, secret: &QrSecret) -> Outcome<AdvertPlaintext> {
    let data = case.bytes("service_data")?;
    let advert = Advert::from_service_data(&data).ok_or_else(|| case.fail("too short"))?;
    let opened = advert::open(&secret.eid_key(), &advert);
    let plaintext = opened.ok_or_else(|| case.fail("the advert does not open"))?;
    case.expect_bytes("eid_plaintext", plaintext.expose_bytes())?;
    case.expect_bytes("service_data", advert::seal(&secret.eid_key(), &plaintext).as_bytes())?;
    Ok(plaintext)
}

fn captured_code(case: &Node<'_>) -> Outcome {
    let code = case.accepted("the code", QrCode::parse(case.text("uri")?))?;
    case.expect_text("uri", code.to_uri().expose_text())?;
    case.expect_bytes("cbor", code.to_cbor().as_slice())?;
    for (key, field) in case.get("fields")?.members()? {
        let given = match key {
            "0" => field.as_bytes()? == code.public_key.to_compressed(),
            "1" => field.as_bytes()? == code.secret.expose_bytes(),
            "2" => Some(field.as_number()?) == code.known_domains,
            "3" => Some(field.as_number()?) == code.timestamp,
            "4" => Some(field.as_flag()?) == code.supports_linking,
            "5" => code.hint.as_ref().map(|hint| hint.as_wire()) == Some(field.as_text()?),
            _ => return Err(field.fail("an unknown key")),
        };
        field.ensure("another value in the code", given)?;
    }
    Ok(())
}
