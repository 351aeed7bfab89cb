//! `session.json`: whole QR sessions, layer after layer in both roles, then through the machines.

use hybridge_proto::{
    advert::{self, Advert, AdvertPlaintext},
    handshake::HandshakeHash,
    ids::{RoutingId, TunnelId},
    keys::{PrivateKey, QrSecret},
    link::LinkingInfo,
    message::{Message, PostHandshake, Update},
    qr::QrCode,
    service::ServicePath,
};

use super::{
    adverts, frames, replay_authenticator,
    replay_client::{self, Recording},
};
use crate::{
    noise_reference::{Party, Pattern},
    noise_vectors::{Noise, Session},
    production::Production,
    tracked::{Node, Outcome},
};

pub(super) fn session_file(root: &Node<'_>) -> Outcome {
    root.cases("sessions")?.iter().try_for_each(session)
}

fn session(case: &Node<'_>) -> Outcome {
    let code = code(&case.get("qr")?)?;
    let plaintext = advert(&case.get("eid")?, &code.secret)?;
    tunnel(&case.get("tunnel")?, &code.secret, &plaintext)?;
    case.expect_bytes("psk", code.secret.psk(&plaintext).expose_bytes())?;

    let private = case.get("qr")?.array("identity_private")?;
    let party = |role: &str, static_private| {
        Ok(Party {
            pattern: Pattern::KnPsk0,
            psk: case.array("psk")?,
            static_public: *code.public_key.to_uncompressed(),
            static_private,
            ephemeral: case.array(&format!("{role}_ephemeral_private"))?,
        })
    };
    let sides = handshake(case, &party("initiator", Some(private))?, &party("responder", None)?)?;
    talk(case, sides)?;
    replay_client::run(&Recording {
        case,
        uri: case.get("qr")?.text("uri")?,
        identity_private: private,
        service_data: case.get("eid")?.bytes("advert")?,
        connect_url: case.get("tunnel")?.text("connect_url")?.to_owned(),
    })?;
    replay_authenticator::run(case)
}

fn code(qr: &Node<'_>) -> Outcome<QrCode> {
    let code = qr.accepted("the code", QrCode::parse(qr.text("uri")?))?;
    qr.expect_text("uri", code.to_uri().expose_text())?;
    qr.expect_bytes("cbor", code.to_cbor().as_slice())?;
    let private = qr.accepted("identity_private", PrivateKey::from_bytes(&qr.array("identity_private")?))?;
    qr.same("public key", &code.public_key, private.public_key())?;
    Ok(code)
}

fn advert(eid: &Node<'_>, secret: &QrSecret) -> Outcome<AdvertPlaintext> {
    let key = secret.eid_key();
    eid.expect_bytes("eid_key", key.expose_bytes())?;
    let opened = advert::open(&key, &Advert::from_bytes(eid.array("advert")?));
    let opened = opened.ok_or_else(|| eid.fail("the advert does not open"))?;
    eid.expect_bytes("plaintext", opened.expose_bytes())?;
    eid.expect_bytes("advert", advert::seal(&key, &opened).as_bytes())?;
    Ok(opened)
}

fn tunnel(node: &Node<'_>, secret: &QrSecret, plaintext: &AdvertPlaintext) -> Outcome {
    let tunnel = TunnelId::from_bytes(node.array("tunnel_id")?);
    let routing = RoutingId::from_bytes(node.array("routing_id")?);
    node.same("tunnel ID", &secret.tunnel_id(), &tunnel)?;
    node.same("routing ID", &plaintext.routing_id(), &routing)?;
    adverts::host(node, plaintext.domain(), node.text("domain")?)?;
    adverts::url(node, "new_url", plaintext.domain(), ServicePath::New { tunnel })?;
    adverts::url(node, "connect_url", plaintext.domain(), ServicePath::Connect { routing, tunnel })
}

/// The client's session, then the authenticator's.
type Sides = [Session; 2];

fn handshake(case: &Node<'_>, initiator: &Party, responder: &Party) -> Outcome<Sides> {
    let (message_1, finish) = Production.initiate(initiator);
    case.expect_bytes("message_1", &message_1)?;
    let answer = Production.respond(responder, &case.bytes("message_1")?);
    let (message_2, authenticator) = case.accepted("message 1", answer)?;
    case.expect_bytes("message_2", message_2)?;
    let client = case.accepted("message 2", finish(&case.bytes("message_2")?))?;
    case.expect_bytes("handshake_hash", client.handshake_hash)?;
    case.expect_bytes("handshake_hash", authenticator.handshake_hash)?;
    Ok([client, authenticator])
}

/// Every message goes over the wire in its order and means what its label says. Sealing it once more under the named
/// key shows that the two sides have the named keys.
fn talk(case: &Node<'_>, [mut client, mut authenticator]: Sides) -> Outcome {
    for frame in case.cases("frames")? {
        frames::keyed(case, &frame)?;
        let (sender, receiver) = match frame.text("direction")? {
            "client_to_authenticator" => (&mut client, &mut authenticator),
            "authenticator_to_client" => (&mut authenticator, &mut client),
            _ => return Err(frame.fail("unknown direction")),
        };
        frame.expect_bytes("websocket_message", sender.channel.seal(&frame.bytes("message")?))?;
        let opened = receiver.channel.open(frame.bytes("websocket_message")?);
        let message = opened.ok_or_else(|| frame.fail("the frame does not open"))?;
        frame.expect_bytes("message", &message)?;
        meaning(case, &frame, &message)?;
    }
    Ok(())
}

/// The labels are for the reader: the authenticator's first message is the post-handshake message, and the kinds of
/// the others stand in their first byte.
fn meaning(case: &Node<'_>, frame: &Node<'_>, plaintext: &[u8]) -> Outcome {
    if frame.text("direction")? == "authenticator_to_client" && frame.number("counter")? == 0 {
        let message = frame.accepted("the message", PostHandshake::decode(plaintext))?;
        return frame.ensure("no CTAP", message.features.ctap);
    }
    let message = frame.accepted("the message", Message::decode(plaintext))?;
    frame.expect_bytes("message", message.encode())?;
    let Message::Update(map) = &message else { return Ok(()) };
    let update = frame.accepted("the update", Update::decode(map))?;
    let info = update.linking_info.ok_or_else(|| frame.fail("no linking information"))?;
    let client = PrivateKey::from_bytes(&case.get("qr")?.array("identity_private")?);
    let client = case.accepted("identity_private", client)?;
    let hash = HandshakeHash::from_bytes(&case.array("handshake_hash")?);
    frame.accepted("the linking information", LinkingInfo::verify(info, &client, &hash)).map(drop)
}
