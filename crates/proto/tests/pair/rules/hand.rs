//! Peers made by hand: they know the protocol's parts and keep none of its rules.

use std::sync::Arc;

use hybridge_proto::{
    advert::{Advert, AdvertPlaintext, Psm, open, seal, service_data},
    domain::DomainId,
    frame::{Opener, Sealer},
    handshake::{Established, HandshakeHash, Initiator, Responder},
    ids::{AdvertNonce, RoutingId},
    keys::{EidKey, PrivateKey, Psk, PublicKey, QrSecret},
    link::ClientPayload,
    message::{Message, PostHandshake},
    qr::QrCode,
};

use crate::pair::sim::{Dice, Remembered, domain_of, machine_rng};

/// What a phone knows of its client.
enum Client {
    Code(PublicKey),
    Call(Arc<PrivateKey>),
}

/// A phone that has scanned a code or was called, and says whatever a test wants.
pub(super) struct HandPhone {
    client: Client,
    eid_key: EidKey,
    plaintext: AdvertPlaintext,
    psk: Psk,
}

impl HandPhone {
    /// Scans a code; the seed makes its advert another one.
    pub(super) fn scan(code: &QrCode, seed: u64) -> Self {
        Self::at(code, seed, domain_of(0))
    }

    /// The same with a tunnel service of its own.
    pub(super) fn at(code: &QrCode, seed: u64, domain: DomainId) -> Self {
        let plaintext = plaintext(seed, domain);
        let psk = code.secret.psk(&plaintext);
        Self { client: Client::Code(code.public_key), eid_key: code.secret.eid_key(), plaintext, psk }
    }

    /// Answers a call.
    pub(super) fn called(remembered: &Remembered, payload: &ClientPayload, seed: u64) -> Self {
        let plaintext = plaintext(seed, DomainId::new(7));
        Self {
            client: Client::Call(Arc::clone(&remembered.identity)),
            eid_key: remembered.secret().eid_key(&payload.nonce),
            psk: remembered.secret().psk(&plaintext),
            plaintext,
        }
    }

    pub(super) fn advert(&self) -> Vec<u8> {
        self.advert_with(None)
    }

    /// The advert, and the offer of a BLE channel.
    pub(super) fn advert_with(&self, psm: Option<u16>) -> Vec<u8> {
        service_data(&seal(&self.eid_key, &self.plaintext), psm.map(Psm))
    }

    /// Answers the handshake: message 2, and the keys.
    pub(super) fn respond(&self, message_1: &[u8]) -> (Vec<u8>, HandSession) {
        let mut rng = machine_rng(1, 1_000);
        let responder = match &self.client {
            Client::Code(key) => Responder::qr(key, &self.psk, &mut *rng),
            Client::Call(identity) => Responder::linked(identity, &self.psk, &mut *rng),
        };
        let (message_2, established) =
            responder.expect("set up").respond(message_1).expect("a client that knows code and advert");
        (message_2.to_vec(), HandSession::new(established))
    }
}

fn plaintext(seed: u64, domain: DomainId) -> AdvertPlaintext {
    let nonce = AdvertNonce::from_bytes(&Dice::new(seed, 0).array());
    AdvertPlaintext::new(&nonce, RoutingId::from_bytes([1, 2, 3]), domain)
}

/// A laptop that shows a code.
pub(super) struct HandLaptop {
    key: Arc<PrivateKey>,
    pub(super) code: QrCode,
}

impl HandLaptop {
    pub(super) fn new() -> Self {
        let key = Arc::new(PrivateKey::from_seed(b"laptop"));
        let code = QrCode::new(*key.public_key(), QrSecret::from_bytes(&[7; 16]));
        Self { key, code }
    }

    /// Message 1 for the phone with this advert, and what is needed for message 2.
    pub(super) fn start(&self, service_data: &[u8]) -> (Initiator, Vec<u8>) {
        let advert = Advert::from_service_data(service_data).expect("20 bytes");
        let plaintext = open(&self.code.secret.eid_key(), &advert).expect("an advert for this code");
        let psk = self.code.secret.psk(&plaintext);
        let (initiator, message_1) =
            Initiator::qr(&self.key, &psk, &mut *machine_rng(2, 1_000)).expect("set up");
        (initiator, message_1.to_vec())
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// One side of a session, for any plaintext.
pub(super) struct HandSession {
    pub(super) sealer: Sealer,
    pub(super) opener: Opener,
    pub(super) hash: HandshakeHash,
}

impl HandSession {
    pub(super) fn new(established: Established) -> Self {
        Self { sealer: established.sealer, opener: established.opener, hash: established.hash }
    }

    pub(super) fn seal(&mut self, message: &Message) -> Vec<u8> {
        self.seal_bytes(&message.encode())
    }

    pub(super) fn seal_bytes(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.sealer.seal(plaintext).expect("small")
    }

    pub(super) fn open(&mut self, frame: Vec<u8>) -> Message {
        Message::decode(&self.open_bytes(frame)).expect("well-formed")
    }

    pub(super) fn open_bytes(&mut self, frame: Vec<u8>) -> Vec<u8> {
        self.opener.open(frame).expect("the peer's frame")
    }

    /// The description of a phone that takes CTAP.
    pub(super) fn describe(&mut self) -> Vec<u8> {
        self.seal_bytes(&PostHandshake::ctap(GET_INFO).encode())
    }
}

/// Not more than a map.
pub(super) const GET_INFO: [u8; 1] = [0xa0];
