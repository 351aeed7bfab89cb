//! Everything that must not be logged: what was drawn, what passed, and what follows from both.

use hybridge_proto::{
    advert::{AdvertPlaintext, seal},
    ids::{AdvertNonce, ClientNonce, RoutingId},
    keys::{EidKey, LinkSecret, PrivateKey, Psk, QrSecret},
    link::ClientPayload,
    qr::Hint,
};
use hybridge_tests::{recorder::Drawn, search::Secret, service::DOMAIN};

use crate::{
    noise_reference::{Finished, Party, Pattern},
    sessions::{ByCode, Heard},
};

/// The secrets of both sessions.
pub fn of(by_code: &ByCode, by_call: &Heard) -> Vec<Secret> {
    let mut secrets = Vec::new();
    drawn("the laptop", &by_code.heard.laptop, &mut secrets);
    drawn("the phone", &by_code.heard.phone, &mut secrets);
    drawn("the calling laptop", &by_call.laptop, &mut secrets);
    drawn("the called phone", &by_call.phone, &mut secrets);
    passed("by code", &by_code.heard, &mut secrets);
    passed("by call", by_call, &mut secrets);
    remembered(by_code, &mut secrets);
    of_the_code(by_code, &mut secrets);
    of_the_call(by_code, by_call, &mut secrets);
    secrets
}

fn drawn(by: &str, drawn: &Drawn, secrets: &mut Vec<Secret>) {
    let all = drawn.all();
    assert!(!all.is_empty(), "{by} drew nothing");
    let name = |(number, draw): (usize, Vec<u8>)| Secret::bytes(format!("draw {number} by {by}"), draw);
    secrets.extend(all.into_iter().enumerate().map(name));
}

fn passed(how: &str, heard: &Heard, secrets: &mut Vec<Secret>) {
    for (number, (name, payload)) in heard.payloads.iter().enumerate() {
        secrets.push(Secret::bytes(format!("{name} {number} {how}"), payload.as_slice()));
    }
}

fn remembered(by_code: &ByCode, secrets: &mut Vec<Secret>) {
    let link = &by_code.link;
    secrets.push(Secret::bytes("the contact ID", link.contact.as_slice()));
    secrets.push(Secret::bytes("the link ID", link.link));
    secrets.push(Secret::bytes("the link secret", link.secret));
    secrets.push(Secret::bytes("the identity key", link.identity.expose_bytes().as_slice()));
    secrets.push(Secret::bytes(
        "the public identity key",
        link.identity.public_key().to_uncompressed().as_slice(),
    ));
}

/// What follows from a code and the advert that answered it.
fn of_the_code(by_code: &ByCode, secrets: &mut Vec<Secret>) {
    let heard = &by_code.heard;
    let secret = QrSecret::from_bytes(&only(&heard.laptop, 0));
    let key = PrivateKey::from_bytes(&only(&heard.laptop, 1)).unwrap();
    // A service of one machine: number 0, the generation of its start, the rest for this tunnel.
    let ([generation], [rest]) = (only(&by_code.relay, 0), only(&by_code.relay, 1));
    let routing = RoutingId::from_bytes([0, generation, rest]);
    secrets.push(Secret::bytes("the routing ID", *routing.as_bytes()));
    let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&only(&heard.phone, 0)), routing, DOMAIN);
    let digits = by_code.code.strip_prefix("FIDO:/").unwrap();
    secrets.push(Secret::text("the code", by_code.code.as_str()));
    secrets.push(Secret::text("the code's digits", digits));
    secrets.push(Secret::bytes("the tunnel ID", *secret.tunnel_id().as_bytes()));
    secrets.push(Secret::bytes("the code's public key", key.public_key().to_compressed()));
    advert("by code", &secret.eid_key(), &plaintext, secrets);
    let psk = secret.psk(&plaintext);
    let laptop = party(Pattern::KnPsk0, &psk, &key, true, only(&heard.laptop, 2));
    let phone = party(Pattern::KnPsk0, &psk, &key, false, only(&heard.phone, 1));
    let finished = handshake("by code", &psk, &laptop, &phone, secrets);
    let shared = by_code.link.identity.diffie_hellman(key.public_key());
    secrets.push(Secret::bytes("the key of the link's signature", shared.expose_bytes().as_slice()));
    let hash = hybridge_proto::handshake::HandshakeHash::from_bytes(&finished.handshake_hash);
    let signature = hybridge_proto::link::sign(&by_code.link.identity, key.public_key(), &hash);
    secrets.push(Secret::bytes("the link's signature", signature.expose_bytes().as_slice()));
}

/// What follows from a call and the advert that answered it.
fn of_the_call(by_code: &ByCode, by_call: &Heard, secrets: &mut Vec<Secret>) {
    let link = &by_code.link;
    let nonce = ClientNonce::from_bytes(only(&by_call.laptop, 0));
    let payload =
        ClientPayload::new(hybridge_proto::ids::LinkId::from_bytes(link.link), nonce, Hint::MakeCredential);
    secrets.push(Secret::bytes("the client payload", payload.to_cbor()));
    secrets.push(Secret::text("the client payload's header", payload.to_header()));
    let secret = LinkSecret::from_bytes(&link.secret);
    let routing = RoutingId::from_bytes(only(&by_call.phone, 1));
    let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&only(&by_call.phone, 0)), routing, DOMAIN);
    advert("by call", &secret.eid_key(&nonce), &plaintext, secrets);
    let psk = secret.psk(&plaintext);
    let laptop = party(Pattern::NkPsk0, &psk, &link.identity, false, only(&by_call.laptop, 1));
    let phone = party(Pattern::NkPsk0, &psk, &link.identity, true, only(&by_call.phone, 2));
    handshake("by call", &psk, &laptop, &phone, secrets);
}

fn advert(how: &str, key: &EidKey, plaintext: &AdvertPlaintext, secrets: &mut Vec<Secret>) {
    secrets.push(Secret::bytes(format!("the EID key {how}"), key.expose_bytes()));
    secrets.push(Secret::bytes(format!("the advert's plaintext {how}"), plaintext.expose_bytes().as_slice()));
    secrets.push(Secret::bytes(format!("the advert {how}"), *seal(key, plaintext).as_bytes()));
}

fn party(pattern: Pattern, psk: &Psk, key: &PrivateKey, owns: bool, ephemeral: [u8; 32]) -> Party {
    Party {
        pattern,
        psk: *psk.expose_bytes(),
        static_public: *key.public_key().to_uncompressed(),
        static_private: owns.then(|| *key.expose_bytes()),
        ephemeral,
    }
}

/// Every state and key of the handshake, by an implementation that shares no code with the one that logs.
fn handshake(how: &str, psk: &Psk, laptop: &Party, phone: &Party, secrets: &mut Vec<Secret>) -> Finished {
    let (message_1, laptop) = laptop.initiate();
    let (message_2, _) = phone.respond(&message_1).unwrap();
    let finished = laptop.finish(&message_2).unwrap();
    secrets.push(Secret::bytes(format!("the PSK {how}"), psk.expose_bytes().as_slice()));
    secrets.push(Secret::bytes(format!("the laptop's traffic key {how}"), finished.client_to_authenticator));
    secrets.push(Secret::bytes(format!("the phone's traffic key {how}"), finished.authenticator_to_client));
    for step in finished.steps.iter().filter(|step| step.op.starts_with("mix_key")) {
        let op = &step.op;
        secrets.push(Secret::bytes(format!("the chaining key after {op} {how}"), step.ck));
        secrets.push(Secret::bytes(format!("the key after {op} {how}"), step.k.unwrap()));
        if op != "mix_key(e_i)" && op != "mix_key(e_r)" {
            secrets.push(Secret::bytes(format!("the input of {op} {how}"), step.input.clone().unwrap()));
        }
    }
    secrets.push(Secret::bytes(format!("the handshake hash {how}"), finished.handshake_hash));
    finished
}

/// The draw with this number, which must have this length.
fn only<const N: usize>(drawn: &Drawn, number: usize) -> [u8; N] {
    drawn.all()[number].as_slice().try_into().expect("a draw of another length")
}
