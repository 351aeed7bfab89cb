//! The encrypted BLE advert (CTAP 2.2 section 11.5.1.1): how an authenticator proves to be near.
//!
//! ```text
//! plaintext  0 | nonce (10) | routing ID (3) | domain ID (2, little-endian)          16 bytes
//! advert     AES-256(key[0..32], plaintext) | HMAC-SHA256(key[32..64], ciphertext)[0..4]   20 bytes
//! ```
//!
//! Most adverts that a client hears belong to somebody else, so a failed [`open`] is the ordinary case and says
//! nothing more than `None`.

use core::fmt;

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::Mac;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    cbor::{Entries, Key, check_map},
    domain::DomainId,
    ids::{AdvertNonce, RoutingId},
    keys::EidKey,
    secret::secret_bytes,
};

type HmacSha256 = hmac::Hmac<sha2::Sha256>;

/// Length of an advert in bytes.
pub const ADVERT_LENGTH: usize = 20;
const TAG_LENGTH: usize = 4;
/// The most service data that is looked at: an advert and its suffix. Extended advertising carries up to 1,650
/// bytes; no defined suffix needs more than a few.
pub const MAX_SERVICE_DATA: usize = 255;

secret_bytes!(
    /// The 16 bytes inside an advert. They salt the handshake's key, so they are a secret until the handshake is
    /// over.
    AdvertPlaintext,
    16
);

impl AdvertPlaintext {
    /// Puts the fields together. State-assisted authenticators give a random routing ID and their own domain.
    pub fn new(nonce: &AdvertNonce, routing: RoutingId, domain: DomainId) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = *nonce.expose_bytes();
        let [r, s, t] = *routing.as_bytes();
        let [x, y] = domain.get().to_le_bytes();
        Self::from_bytes(&[0, a, b, c, d, e, f, g, h, i, j, r, s, t, x, y])
    }

    /// Which machine of the tunnel service holds the tunnel.
    pub fn routing_id(&self) -> RoutingId {
        let [_, _, _, _, _, _, _, _, _, _, _, r, s, t, _, _] = *self.expose_bytes();
        RoutingId::from_bytes([r, s, t])
    }

    /// The tunnel service.
    pub fn domain(&self) -> DomainId {
        let [.., x, y] = *self.expose_bytes();
        DomainId::new(u16::from_le_bytes([x, y]))
    }

    fn reserved_is_zero(&self) -> bool {
        let [reserved, ..] = *self.expose_bytes();
        reserved == 0
    }
}

/// 20 bytes of service data, as they go on the air.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Advert([u8; ADVERT_LENGTH]);

impl Advert {
    /// The first 20 bytes of service data, if there are as many.
    pub fn from_service_data(data: &[u8]) -> Option<Self> {
        data.first_chunk().copied().map(Self)
    }

    /// Wraps the bytes.
    pub const fn from_bytes(bytes: [u8; ADVERT_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; ADVERT_LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Advert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Advert(20 bytes)")
    }
}

fn tag(key: &EidKey, ciphertext: &[u8; 16]) -> [u8; TAG_LENGTH] {
    // HMAC pads a key to the hash's 64-byte block with zeros; a block-sized key needs no fallible constructor.
    let mut block = Zeroizing::new([0_u8; 64]);
    block.iter_mut().zip(key.mac_key()).for_each(|(to, from)| *to = *from);
    let mac = HmacSha256::new((&*block).into()).chain_update(ciphertext).finalize().into_bytes();
    let [a, b, c, d, ..]: [u8; 32] = mac.into();
    [a, b, c, d]
}

fn cipher(key: &EidKey) -> aes::Aes256 {
    aes::Aes256::new(key.aes_key().into())
}

/// Encrypts and tags a plaintext.
pub fn seal(key: &EidKey, plaintext: &AdvertPlaintext) -> Advert {
    let mut block = aes::Block::from(*plaintext.expose_bytes());
    cipher(key).encrypt_block(&mut block);
    let ciphertext: [u8; 16] = block.into();
    let mut bytes = [0_u8; ADVERT_LENGTH];
    let sealed = ciphertext.into_iter().chain(tag(key, &ciphertext));
    bytes.iter_mut().zip(sealed).for_each(|(to, from)| *to = from);
    Advert(bytes)
}

/// Opens an advert that was sealed under this key: one HMAC for a foreign one, compared in constant time.
///
/// `None` for a wrong tag or a non-zero reserved byte. The domain is not judged here, see
/// [`AdvertPlaintext::domain`].
pub fn open(key: &EidKey, advert: &Advert) -> Option<AdvertPlaintext> {
    let (ciphertext, given) = advert.0.split_first_chunk::<16>()?;
    if !bool::from(tag(key, ciphertext).as_slice().ct_eq(given)) {
        return None;
    }
    let mut block = aes::Block::from(*ciphertext);
    cipher(key).decrypt_block(&mut block);
    let plaintext = AdvertPlaintext::from_bytes(&block.into());
    block.as_mut_slice().zeroize();
    plaintext.reserved_is_zero().then_some(plaintext)
}

/// An L2CAP protocol/service multiplexer: the "port" of the BLE data channel (CTAP 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Psm(pub u16);

/// The number of the BLE L2CAP data channel in QR key 6 and in a suffix.
pub(crate) const CHANNEL_L2CAP: u64 = 1;

/// Reads the PSM out of the bytes behind an advert, `{1: PSM}` (CTAP 2.3).
///
/// The suffix is neither encrypted nor tagged. Anything malformed is as good as no suffix, so the answer is `None`.
pub fn parse_suffix(suffix: &[u8]) -> Option<Psm> {
    if suffix.is_empty() || suffix.len() > MAX_SERVICE_DATA || check_map(suffix).is_err() {
        return None;
    }
    let (_, psm) = Entries::new(suffix).find(|(key, _)| *key == Key::Uint(CHANNEL_L2CAP))?;
    psm.uint().and_then(|psm| u16::try_from(psm).ok()).map(Psm)
}

/// Service data of an advert, with the suffix that offers the BLE channel if there is a PSM: 20 to 25 bytes.
pub fn service_data(advert: &Advert, psm: Option<Psm>) -> Vec<u8> {
    let mut data = advert.0.to_vec();
    if let Some(Psm(psm)) = psm {
        let [high, low] = psm.to_be_bytes();
        match psm {
            0..=23 => data.extend_from_slice(&[0xa1, 1, low]),
            24..=0xff => data.extend_from_slice(&[0xa1, 1, 0x18, low]),
            _ => data.extend_from_slice(&[0xa1, 1, 0x19, high, low]),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sealed_adverts_open(key in any::<[u8; 32]>(), nonce in any::<[u8; 10]>(), routing in any::<[u8; 3]>(), domain: u16) {
            let mut both = [0; 64];
            both[..32].copy_from_slice(&key);
            both[40..].copy_from_slice(&key[..24]);
            let key = EidKey::from_bytes(&both);
            let routing = RoutingId::from_bytes(routing);
            let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&nonce), routing, DomainId::new(domain));
            let opened = open(&key, &seal(&key, &plaintext)).unwrap();
            prop_assert_eq!(opened.routing_id(), routing);
            prop_assert_eq!(opened.domain().get(), domain);
            prop_assert_eq!(opened, plaintext);
        }

        #[test]
        fn a_changed_bit_does_not_open(nonce in any::<[u8; 10]>(), bit in 0_usize..160) {
            let key = EidKey::from_bytes(&[3; 64]);
            let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&nonce), RoutingId::from_bytes([0; 3]), DomainId::GOOGLE);
            let Advert(mut bytes) = seal(&key, &plaintext);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&key, &Advert(bytes)).is_none());
        }

        #[test]
        fn suffixes_survive(psm: u16) {
            let data = service_data(&Advert([0; 20]), Some(Psm(psm)));
            prop_assert_eq!(parse_suffix(&data[ADVERT_LENGTH..]), Some(Psm(psm)));
        }

        #[test]
        fn any_bytes_give_an_answer(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse_suffix(&data);
            if let Some(advert) = Advert::from_service_data(&data) {
                let _ = open(&EidKey::from_bytes(&[0; 64]), &advert);
            }
        }
    }
}
