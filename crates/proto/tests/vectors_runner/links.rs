//! `linking.json`.

use hybridge_proto::{
    advert::{self, Advert, AdvertPlaintext},
    frame::padded_length,
    handshake::HandshakeHash,
    ids::{ClientNonce, ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::{ClientPayload, LinkError, LinkingInfo, sign},
    message::{Message, Update},
    qr::Hint,
    service::ServicePath,
};

use super::adverts;
use crate::tracked::{Node, Outcome};

pub(super) fn linking_file(root: &Node<'_>) -> Outcome {
    let links = root.cases("links")?;
    for link in &links {
        signature(link)?;
        info(link)?;
        update(link)?;
        state_assisted(link)?;
    }
    let reject = root.get("reject")?;
    let index = usize::try_from(reject.number("for_link")?).map_err(|error| reject.fail(error))?;
    let link = links.get(index).ok_or_else(|| reject.fail("for_link names no link"))?;
    for case in reject.cases("cases")? {
        let result = LinkingInfo::verify(&case.bytes("linking_info_cbor")?, &client(link)?, &hash(link)?);
        let error = case.refused("the linking information", result)?;
        // Chromium takes link IDs and secrets of any length.
        let lax = case.flag("chromium_accepts")?;
        let length = matches!(error, LinkError::Field(2 | 3));
        case.ensure("refused for a reason that Chromium shares", length || !lax)?;
    }
    Ok(())
}

fn private(case: &Node<'_>, key: &str) -> Outcome<PrivateKey> {
    case.accepted(key, PrivateKey::from_bytes(&case.array(key)?))
}

fn client(case: &Node<'_>) -> Outcome<PrivateKey> {
    private(case, "client_identity_private")
}

fn hash(case: &Node<'_>) -> Outcome<HandshakeHash> {
    case.array("handshake_hash").map(|bytes| HandshakeHash::from_bytes(&bytes))
}

fn signature(case: &Node<'_>) -> Outcome {
    let (client, hash) = (client(case)?, hash(case)?);
    let authenticator = private(case, "authenticator_identity_private")?;
    case.expect_bytes("client_identity_public", client.public_key().to_uncompressed())?;
    case.expect_bytes("authenticator_identity_public", authenticator.public_key().to_uncompressed())?;
    for (own, other) in [(&client, &authenticator), (&authenticator, &client)] {
        case.expect_bytes("ecdh_shared", own.diffie_hellman(other.public_key()).expose_bytes())?;
        case.expect_bytes("signature", sign(own, other.public_key(), &hash).expose_bytes())?;
    }
    Ok(())
}

/// The map in both directions; ours lacks members that only some phones add.
fn info(case: &Node<'_>) -> Outcome {
    let (client, hash) = (client(case)?, hash(case)?);
    let map = case.bytes("linking_info_cbor")?;
    let info = case.accepted("the linking information", LinkingInfo::verify(&map, &client, &hash))?;
    case.expect_bytes("contact_id", info.contact.as_bytes())?;
    case.expect_bytes("link_id", info.link.as_bytes())?;
    case.expect_bytes("link_secret", info.secret.expose_bytes())?;
    case.expect_bytes("authenticator_identity_public", info.identity.to_uncompressed())?;
    case.expect_text("name", &info.name)?;

    let identity = private(case, "authenticator_identity_private")?;
    let contact = case.accepted("contact_id", ContactId::new(case.bytes("contact_id")?))?;
    let secret = LinkSecret::from_bytes(&case.array("link_secret")?);
    let link = LinkId::from_bytes(case.array("link_id")?);
    let rebuilt = LinkingInfo::new(contact, link, secret, *identity.public_key(), case.text("name")?);
    let ours = rebuilt.encode(&identity, client.public_key(), &hash);
    case.ensure("the name does not survive", rebuilt.name == info.name)?;
    match (map.split_first(), ours.split_first()) {
        (Some((0xa6, _)), _) => case.expect_bytes("linking_info_cbor", ours.as_slice()),
        (Some((_, given)), Some((_, ours))) => {
            case.ensure("our members are not among the given", given.starts_with(ours))
        }
        _ => Err(case.fail("no CBOR")),
    }
}

fn update(case: &Node<'_>) -> Outcome {
    let given = case.bytes("update_message")?;
    let message = case.accepted("the update", Message::decode(&given))?;
    let Message::Update(map) = &message else { return Err(case.fail("not an update")) };
    let update = case.accepted("the update", Update::decode(map))?;
    case.expect_bytes("linking_info_cbor", update.linking_info.unwrap_or_default())?;
    case.expect_bytes("update_message", message.encode())?;

    let ours = Message::Update(update.encode()).encode();
    case.same("the size of the frame", &padded_length(ours.len()), &padded_length(given.len()))?;
    let read = Message::decode(&ours);
    let Ok(Message::Update(map)) = &read else { return Err(case.fail("our update is not one")) };
    case.same("our update", &Update::decode(map), &Ok(update))
}

fn state_assisted(link: &Node<'_>) -> Outcome {
    let case = link.get("state_assisted")?;
    let nonce = ClientNonce::from_bytes(case.array("client_nonce")?);
    let id = LinkId::from_bytes(link.array("link_id")?);
    let payload = ClientPayload::new(id, nonce, Hint::from_wire(case.text("hint")?));
    case.expect_bytes("client_payload_cbor", payload.to_cbor())?;
    case.expect_text("client_payload_header", &payload.to_header())?;
    let header = ClientPayload::from_header(case.text("client_payload_header")?);
    case.same("client payload", &header.as_ref(), &Ok(&payload))?;
    let cbor = ClientPayload::from_cbor(&case.bytes("client_payload_cbor")?);
    case.same("client payload", &cbor, &Ok(payload))?;

    let contact = link.accepted("contact_id", ContactId::new(link.bytes("contact_id")?))?;
    let domain = adverts::domain(link, "tunnel_domain_id")?;
    adverts::url(&case, "contact_url", domain, ServicePath::Contact { contact })?;

    let secret = LinkSecret::from_bytes(&link.array("link_secret")?);
    let key = secret.eid_key(&nonce);
    case.expect_bytes("eid_key", key.expose_bytes())?;
    let plaintext = AdvertPlaintext::from_bytes(&case.array("eid_plaintext")?);
    case.expect_bytes("advert", advert::seal(&key, &plaintext).as_bytes())?;
    let opened = advert::open(&key, &Advert::from_bytes(case.array("advert")?));
    case.expect_bytes("psk", secret.psk(&plaintext).expose_bytes())?;
    case.same("plaintext", &opened, &Some(plaintext))
}
