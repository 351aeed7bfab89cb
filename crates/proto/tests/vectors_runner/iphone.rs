//! The session with an iPhone in `interop.json`, of which the client's keys are known.

use hybridge_proto::{
    advert::AdvertPlaintext,
    digits,
    ids::{RoutingId, TunnelId},
    keys::PrivateKey,
    message::{Message, PostHandshake},
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
};

use super::{
    adverts, frames, interop,
    replay_client::{self, Recording},
};
use crate::{
    noise_reference::{Party, Pattern},
    noise_vectors::Noise,
    production::Production,
    tracked::{Node, Outcome},
};

/// Layer after layer (the code, the advert, the handshake as the client, every frame), then the client machine.
pub(super) fn transcript(case: &Node<'_>) -> Outcome {
    let uri = case.text("qr_uri")?;
    let code = case.accepted("the code", QrCode::parse(uri))?;
    case.expect_text("qr_uri", &format!("FIDO:/{}", digits::encode(&case.bytes("qr_cbor")?)))?;
    let private = PrivateKey::from_bytes(&case.array("identity_private")?);
    case.same("public key", &code.public_key, case.accepted("identity_private", private)?.public_key())?;
    case.expect_bytes("qr_secret", code.secret.expose_bytes())?;

    let plaintext = interop::opened(case, &code.secret)?;
    adverts::host(case, plaintext.domain(), case.text("domain")?)?;
    let routing = RoutingId::from_bytes(case.array("routing_id")?);
    case.same("routing ID", &plaintext.routing_id(), &routing)?;
    case.same("tunnel ID", &code.secret.tunnel_id(), &TunnelId::from_bytes(case.array("tunnel_id")?))?;
    handshake(case, &code, &plaintext)?;
    talk(case)?;
    let path = ServicePath::Connect { routing, tunnel: code.secret.tunnel_id() };
    let request = case.accepted("the domain", ServiceRequest::new(plaintext.domain(), path))?;
    replay_client::run(&Recording {
        case,
        uri,
        identity_private: case.array("identity_private")?,
        service_data: case.bytes("service_data")?,
        connect_url: request.url(),
    })
}

fn handshake(case: &Node<'_>, code: &QrCode, plaintext: &AdvertPlaintext) -> Outcome {
    case.expect_bytes("psk", code.secret.psk(plaintext).expose_bytes())?;
    let party = Party {
        pattern: Pattern::KnPsk0,
        psk: case.array("psk")?,
        static_public: *code.public_key.to_uncompressed(),
        static_private: Some(case.array("identity_private")?),
        ephemeral: case.array("initiator_ephemeral_private")?,
    };
    let (message_1, finish) = Production.initiate(&party);
    case.expect_bytes("message_1", message_1)?;
    let session = case.accepted("message 2", finish(&case.bytes("message_2")?))?;
    case.expect_bytes("handshake_hash", session.handshake_hash)?;
    let (forth, back) =
        (case.array("client_to_authenticator_key")?, case.array("authenticator_to_client_key")?);
    case.ensure("other traffic keys", session.has_keys(forth, back))
}

/// The phone pads and seals as this crate does, so the frames come out the same in both directions.
fn talk(case: &Node<'_>) -> Outcome {
    for (index, frame) in case.cases("frames")?.iter().enumerate() {
        frames::keyed(case, frame)?;
        let plaintext = frame.bytes("message")?;
        if index == 0 {
            frame.accepted("the message", PostHandshake::decode(&plaintext))?;
        } else {
            let message = frame.accepted("the message", Message::decode(&plaintext))?;
            frame.ensure("not CTAP", matches!(message, Message::Ctap(_)))?;
        }
    }
    Ok(())
}
