//! `interop.json`: bytes captured from real products.

use hybridge_proto::{
    advert::{self, Advert, AdvertPlaintext},
    domain::DomainId,
    frame::{TrafficKey, pad},
    handshake::Initiator,
    ids::{RoutingId, TunnelId},
    keys::{EidKey, PrivateKey, QrSecret},
    message::PostHandshake,
    qr::QrCode,
    service::ServicePath,
};

use super::{adverts, frames, keys};
use crate::tracked::{Node, Outcome};

pub(super) fn interop_file(root: &Node<'_>) -> Outcome {
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
        sample.ensure("no CTAP", message.features.ctap)?;
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
