//! The layers below a ceremony, as far as the peers let them be called: their code against ours, on random input.

use hybridge_proto::{
    digits,
    domain::DomainId,
    ids::{ClientNonce, LinkId},
    link::ClientPayload,
    qr::{Hint, QrCode},
};
use pxp::{
    known_devices::{self, ClientPayloadHint},
    qr_code_device::{PxpQrCodeDevice, PxpTransports, QrCodeOperationHint},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_bytes::ByteBuf;

pub(crate) mod broken;
pub(crate) mod session;
mod stub;

const STRINGS: usize = 20_000;
const CODES: usize = 3_000;
const PAYLOADS: usize = 5_000;

/// A generator of its own for each check, the same in every run.
pub(crate) fn rng(check: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(check)
}

/// So many random bytes.
pub(crate) fn bytes(rng: &mut ChaCha20Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A number below a bound.
pub(crate) fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % bound
}

/// Every number of a tunnel service gives the same host name, or none, to all three.
pub(crate) fn domains() -> String {
    let mut named = 0;
    for number in 0..=u16::MAX {
        let ours = DomainId::new(number).host().ok();
        assert_eq!(ours, pxp::tunnel::decode_tunnel_server_domain(number), "number {number}, pxp");
        assert_eq!(ours, webauthn_authenticator_rs::cable::get_domain(number), "number {number}, webauthn");
        named += usize::from(ours.is_some());
    }
    format!("65536 numbers, {named} names")
}

/// Digits of random bytes are the same, and lead back.
pub(crate) fn digits() -> String {
    let mut rng = rng(1);
    for _ in 0..STRINGS {
        let length = below(&mut rng, 200);
        let bytes = bytes(&mut rng, length);
        let theirs = pxp::digit_encode(&bytes);
        assert_eq!(digits::encode(&bytes), theirs);
        assert_eq!(digits::decode(&theirs).unwrap(), bytes);
    }
    format!("{STRINGS} random strings")
}

/// Their codes are read as they were meant, and written again to the digit.
pub(crate) fn codes() -> String {
    let store = std::sync::Arc::new(known_devices::EphemeralDeviceInfoStore::new());
    for number in 0..CODES {
        let hint =
            [QrCodeOperationHint::GetAssertionRequest, QrCodeOperationHint::MakeCredential][number % 2];
        let transports =
            [PxpTransports::CloudAssistedOnly, PxpTransports::CloudAssistedOrLocal][number / 2 % 2];
        let links = number / 4 % 2 == 1;
        let theirs = if links {
            PxpQrCodeDevice::new_persistent(hint, store.clone(), transports)
        } else {
            PxpQrCodeDevice::new_transient(hint, transports)
        };
        let theirs = theirs.unwrap().qr_code;
        let text = theirs.to_string();
        let ours = QrCode::parse(&text).unwrap();
        assert_eq!(ours.to_uri().expose_text(), text);
        assert_eq!(ours.public_key.to_compressed().as_slice(), theirs.public_key.as_slice());
        assert_eq!(ours.secret.expose_bytes().as_slice(), theirs.qr_secret.as_slice());
        assert_eq!(ours.timestamp, theirs.current_time);
        assert_eq!((ours.effective_known_domains(), ours.effective_linking()), (2, links));
        assert_eq!(
            ours.effective_hint() == Hint::MakeCredential,
            hint == QrCodeOperationHint::MakeCredential
        );
        let channels = ours.effective_channels();
        let l2cap = transports == PxpTransports::CloudAssistedOrLocal;
        assert_eq!((channels.websocket(), channels.l2cap()), (true, l2cap));
    }
    format!("{CODES} codes")
}

/// What they say when they call a remembered phone is what we would say.
pub(crate) fn client_payloads() -> String {
    let mut rng = rng(2);
    for number in 0..PAYLOADS {
        let (link, nonce) = (bytes(&mut rng, 8), bytes(&mut rng, 16));
        let (theirs, ours) = [
            (ClientPayloadHint::GetAssertion, Hint::GetAssertion),
            (ClientPayloadHint::MakeCredential, Hint::MakeCredential),
        ][number % 2]
            .clone();
        let theirs = known_devices::ClientPayload {
            link_id: ByteBuf::from(link.clone()),
            client_nonce: ByteBuf::from(nonce.clone()),
            hint: theirs,
        };
        let theirs = serde_cbor_2::to_vec(&theirs).unwrap();
        let link = LinkId::from_bytes(link.try_into().unwrap());
        let nonce = ClientNonce::from_bytes(nonce.try_into().unwrap());
        assert_eq!(ClientPayload::new(link, nonce, ours).to_cbor(), theirs);
        assert_eq!(ClientPayload::from_cbor(&theirs).unwrap().to_cbor(), theirs);
    }
    format!("{PAYLOADS} payloads")
}
