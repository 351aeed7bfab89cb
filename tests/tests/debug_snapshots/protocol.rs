//! The protocol crate.

use std::time::Instant;

use hybridge_proto::{
    advert::{Advert, AdvertPlaintext},
    authenticator::{self, AuthenticatorConfig, AuthenticatorMachine, IncomingCall, LinkOffer},
    channel::Route,
    client::{self, ClientConfig, ClientMachine, Link},
    domain::DomainId,
    frame::{Opener, Sealer, TrafficKey},
    handshake::{HandshakeHash, Initiator, Responder},
    ids::{AdvertNonce, ClientNonce, ContactId, LinkId, RoutingId, TunnelId},
    json::{DigitalError, DigitalRequest, DigitalResponse},
    keys::{EidKey, IdentitySeed, LinkSecret, PerContactSecret, Psk, QrSecret, RootSecret, SharedSecret},
    link::{ClientPayload, LinkSignature},
    message::{Message, PostHandshake, Update},
    packets::PacketReader,
    qr::{Hint, QrCode},
    service::{CLIENT_PAYLOAD_HEADER, ServicePath, ServiceRequest},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::{key, linking_info, linking_info_shown, public};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

#[test]
fn byte_secrets() {
    let shown = [
        format!("{:?}", QrSecret::from_bytes(&[1; 16])),
        format!("{:?}", EidKey::from_bytes(&[1; 64])),
        format!("{:?}", Psk::from_bytes(&[1; 32])),
        format!("{:?}", LinkSecret::from_bytes(&[1; 32])),
        format!("{:?}", RootSecret::from_bytes(&[1; 32])),
        format!("{:?}", PerContactSecret::from_bytes(&[1; 32])),
        format!("{:?}", IdentitySeed::from_bytes(&[1; 32])),
        format!("{:?}", SharedSecret::from_bytes(&[1; 32])),
        format!("{:?}", TrafficKey::from_bytes(&[1; 32])),
        format!("{:?}", HandshakeHash::from_bytes(&[1; 32])),
        format!("{:?}", LinkSignature::from_bytes(&[1; 32])),
        format!("{:?}", AdvertNonce::from_bytes(&[1; 10])),
        format!("{:?}", AdvertPlaintext::from_bytes(&[1; 16])),
    ];
    let names = [
        "QrSecret",
        "EidKey",
        "Psk",
        "LinkSecret",
        "RootSecret",
        "PerContactSecret",
        "IdentitySeed",
        "SharedSecret",
        "TrafficKey",
        "HandshakeHash",
        "LinkSignature",
        "AdvertNonce",
        "AdvertPlaintext",
    ];
    assert_eq!(shown.to_vec(), names.map(|name| format!("{name}(..)")).to_vec());
}

#[test]
fn identifiers() {
    assert_eq!(format!("{:?}", TunnelId::from_bytes([0xab; 16])), "TunnelId(ab..)");
    assert_eq!(format!("{:?}", RoutingId::from_bytes([0xab; 3])), "RoutingId(ab..)");
    assert_eq!(format!("{:?}", LinkId::from_bytes([0xab; 8])), "LinkId(ab..)");
    assert_eq!(format!("{:?}", ClientNonce::from_bytes([0xab; 16])), "ClientNonce(ab..)");
    assert_eq!(format!("{:?}", ContactId::new([0xab; 30]).unwrap()), "ContactId(30 bytes)");
    assert_eq!(format!("{:?}", Advert::from_bytes([0xab; 20])), "Advert(20 bytes)");
    let path = ServicePath::New { tunnel: TunnelId::from_bytes([0xab; 16]) };
    let mut request = ServiceRequest::new(DomainId::new(266), path).unwrap();
    request.headers.push((CLIENT_PAYLOAD_HEADER, "A3FF".to_owned()));
    assert_eq!(
        format!("{request:?}"),
        r#"ServiceRequest { host: "cable.wufkweyy3uaxb.com", path: New { tunnel: TunnelId(ab..) }, headers: ["X-caBLE-Client-Payload"] }"#
    );
}

#[test]
fn routes() {
    let path = ServicePath::New { tunnel: TunnelId::from_bytes([0xab; 16]) };
    let route = Route::Tunnel(ServiceRequest::new(DomainId::new(266), path).unwrap());
    assert_eq!(
        format!("{route:?}"),
        "Tunnel(ServiceRequest { host: \"cable.wufkweyy3uaxb.com\", path: New { tunnel: TunnelId(ab..) }, headers: [] })"
    );
}

#[test]
fn keys_and_handshakes() {
    let (key, psk) = (key(), Psk::from_bytes(&[1; 32]));
    assert_eq!(format!("{:?}", key.public_key()), "PublicKey(1e..)");
    assert_eq!(format!("{key:?}"), format!("PrivateKey {{ public: {}, .. }}", public()));
    let (initiator, message_1) = Initiator::qr(&key, &psk, &mut rng()).unwrap();
    assert_eq!(format!("{initiator:?}"), "Initiator(..)");
    let responder = Responder::qr(key.public_key(), &psk, &mut rng()).unwrap();
    assert_eq!(format!("{responder:?}"), "Responder(..)");
    let (_, established) = responder.respond(&message_1).unwrap();
    assert_eq!(
        format!("{established:?}"),
        "Established { sealer: Sealer { counter: 0, .. }, opener: Opener { counter: 0, .. }, hash: HandshakeHash(..) }"
    );
    let traffic = TrafficKey::from_bytes(&[1; 32]);
    let halves = (Sealer::new(&traffic), Opener::new(&traffic));
    assert_eq!(format!("{halves:?}"), "(Sealer { counter: 0, .. }, Opener { counter: 0, .. })");
    let mut packets = PacketReader::new();
    packets.push(&[0xAB; 5]);
    assert_eq!(format!("{packets:?}"), "PacketReader { unread: 5, .. }");
}

#[test]
fn codes() {
    let code = QrCode::new(*key().public_key(), QrSecret::from_bytes(&[1; 16]));
    assert_eq!(
        format!("{code:?}"),
        format!(
            "QrCode {{ public_key: {}, secret: QrSecret(..), known_domains: Some(2), timestamp: None, \
             supports_linking: Some(false), hint: None, channels: None }}",
            public()
        )
    );
    let uri = code.to_uri();
    assert_eq!(format!("{uri:?}"), format!("QrUri({} characters)", uri.expose_text().len()));
}

#[test]
fn messages() {
    assert_eq!(format!("{:?}", Message::Ctap(vec![1; 40])), "Ctap(40 bytes)");
    assert_eq!(format!("{:?}", Message::Json(vec![1; 40])), "Json(40 bytes)");
    assert_eq!(format!("{:?}", Message::Update(vec![1; 40])), "Update(40 bytes)");
    assert_eq!(format!("{:?}", Update { linking_info: Some(&[1; 40]) }), "Update { linking_info: Some(40) }");
    assert_eq!(
        format!("{:?}", PostHandshake::ctap([1; 40])),
        "PostHandshake { get_info: Some(40), features: Features { ctap: true, digital_credentials: false }, \
         linking_info: None, revision: Typed }"
    );
}

#[test]
fn digital_credentials() {
    let envelope =
        br#"{"origin":"https://a.example","requestType":"credential.get","request":{"digital":{"a":1}}}"#;
    let request = DigitalRequest::decode(envelope).unwrap();
    assert_eq!(
        format!("{request:?}"),
        "DigitalRequest { origin: \"https://a.example\", request_type: Get, .. }"
    );
    let data = request.digital;
    let credential = DigitalResponse::Credential { protocol: "openid4vp".to_owned(), data };
    assert_eq!(format!("{credential:?}"), "Credential { protocol: \"openid4vp\", .. }");
    let failed = DigitalResponse::Failed(DigitalError::UserCanceled);
    assert_eq!(format!("{failed:?}"), "Failed(UserCanceled)");
}

#[test]
fn links() {
    let info = linking_info_shown();
    assert_eq!(format!("{:?}", linking_info()), info);
    let link = Link::new(DomainId::new(266), linking_info());
    assert_eq!(format!("{link:?}"), format!("Link {{ domain: DomainId(266), info: {info} }}"));
    let payload =
        ClientPayload::new(LinkId::from_bytes([1; 8]), ClientNonce::from_bytes([2; 16]), Hint::GetAssertion);
    let shown = "ClientPayload { link: LinkId(01..), nonce: ClientNonce(02..), hint: GetAssertion }";
    assert_eq!(format!("{payload:?}"), shown);
    let offer = LinkOffer { identity: key(), info: linking_info() };
    let identity = format!("PrivateKey {{ public: {}, .. }}", public());
    assert_eq!(format!("{offer:?}"), format!("LinkOffer {{ identity: {identity}, info: {info} }}"));
    let (tunnel, routing) = (TunnelId::from_bytes([1; 16]), RoutingId::from_bytes([1; 3]));
    let call = IncomingCall::new(tunnel, routing, payload, LinkSecret::from_bytes(&[1; 32]), key());
    assert_eq!(format!("{call:?}"), format!("IncomingCall {{ payload: {shown}, .. }}"));
}

#[test]
fn machines() {
    let now = Instant::now();
    let mut laptop = ClientMachine::with_code(ClientConfig::new(Hint::GetAssertion), Box::new(rng()), now);
    assert_eq!(format!("{laptop:?}"), "ClientMachine { phase: \"Searching\", .. }");
    let Some(client::Event::ShowQr { uri, .. }) = laptop.poll_event() else { unreachable!() };
    let code = QrCode::parse(uri.expose_text()).unwrap();
    let mut config = AuthenticatorConfig::new(DomainId::new(266), [0xa0]);
    config.linking = Some(LinkOffer { identity: key(), info: linking_info() });
    let offer = format!("{:?}", config.linking);
    assert_eq!(
        format!("{config:?}"),
        format!(
            "AuthenticatorConfig {{ domain: DomainId(266), description: PostHandshake {{ get_info: Some(1), features: \
             Features {{ ctap: true, digital_credentials: false }}, linking_info: None, revision: Typed }}, linking: \
             {offer}, l2cap: false, timing: AuthenticatorTiming {{ connect: 10s, advertise: 120s, idle: 120s }} }}"
        )
    );
    let phone = AuthenticatorMachine::answer_code(config, &code, Box::new(rng()), now).unwrap();
    assert_eq!(format!("{phone:?}"), "AuthenticatorMachine { phase: \"Preparing\", .. }");
}

#[test]
fn events_and_actions() {
    assert_eq!(format!("{:?}", client::Event::CtapReply(vec![1; 40])), "CtapReply(40 bytes)");
    assert_eq!(format!("{:?}", client::Event::JsonReply(vec![1; 40])), "JsonReply(40 bytes)");
    assert_eq!(format!("{:?}", authenticator::Event::CtapRequest(vec![1; 40])), "CtapRequest(40 bytes)");
    assert_eq!(format!("{:?}", authenticator::Event::JsonRequest(vec![1; 40])), "JsonRequest(40 bytes)");
    let advertise = authenticator::Action::Advertise { service_data: vec![1; 20], connectable: false };
    assert_eq!(format!("{advertise:?}"), "Advertise { service_data: 20 bytes, connectable: false }");
}
