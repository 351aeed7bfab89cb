//! P-256 keys: validated on the way in, the encoded public key kept beside the private one.

use core::fmt;

use p256::{
    FieldBytes, NonZeroScalar, Scalar,
    elliptic_curve::{ops::Reduce, sec1::ToSec1Point},
};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::hkdf_into;
use crate::secret::secret_bytes;

/// Why bytes are not a P-256 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A public key of another length or form than the one that belongs here.
    #[error("a public key of the wrong length or form")]
    Encoding,
    /// The coordinates are not a point on the curve, or it is the point at infinity.
    #[error("a public key that is not on the curve")]
    NotOnCurve,
    /// A private key that is zero or not below the group order.
    #[error("a private key that is out of range")]
    ScalarRange,
}

secret_bytes!(
    /// The x coordinate of a Diffie-Hellman result: 32 bytes.
    SharedSecret,
    32
);

/// A point on P-256 other than the point at infinity, with its 65-byte uncompressed encoding.
#[derive(Clone, Copy)]
pub struct PublicKey {
    point: p256::PublicKey,
    encoded: [u8; 65],
}

impl PublicKey {
    /// Length in bytes of the uncompressed form.
    pub const UNCOMPRESSED_LENGTH: usize = 65;
    /// Length in bytes of the compressed form.
    pub const COMPRESSED_LENGTH: usize = 33;

    /// Reads the uncompressed form: `04`, x, y.
    ///
    /// # Errors
    /// [`KeyError`] unless the first byte is 04 and the coordinates are a point on the curve.
    pub fn from_uncompressed(bytes: &[u8; 65]) -> Result<Self, KeyError> {
        match bytes {
            [0x04, ..] => Self::from_sec1(bytes),
            _ => Err(KeyError::Encoding),
        }
    }

    /// Reads the compressed form: `02` or `03`, x.
    ///
    /// # Errors
    /// [`KeyError`] unless x belongs to a point on the curve.
    pub fn from_compressed(bytes: &[u8; 33]) -> Result<Self, KeyError> {
        match bytes {
            [0x02 | 0x03, ..] => Self::from_sec1(bytes),
            _ => Err(KeyError::NotOnCurve),
        }
    }

    fn from_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| KeyError::NotOnCurve).map(Self::from_point)
    }

    fn from_point(point: p256::PublicKey) -> Self {
        let mut encoded = [0_u8; 65];
        let sec1 = point.to_sec1_point(false);
        encoded.iter_mut().zip(sec1.as_bytes()).for_each(|(to, from)| *to = *from);
        Self { point, encoded }
    }

    /// The uncompressed form.
    pub const fn to_uncompressed(&self) -> &[u8; 65] {
        &self.encoded
    }

    /// The compressed form.
    pub fn to_compressed(&self) -> [u8; 33] {
        let mut encoded = [0_u8; 33];
        let sec1 = self.point.to_sec1_point(true);
        encoded.iter_mut().zip(sec1.as_bytes()).for_each(|(to, from)| *to = *from);
        encoded
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, first, ..] = self.encoded;
        write!(f, "PublicKey({first:02x}..)")
    }
}

/// A private key together with its public key, so that the latter is computed once.
pub struct PrivateKey {
    secret: p256::SecretKey,
    public: PublicKey,
}

impl PrivateKey {
    /// Draws a uniformly random key: 32 bytes at a time until they are in range (nearly always the first).
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            rng.fill_bytes(bytes.as_mut_slice());
            if let Ok(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// Reads a 32-byte big-endian scalar.
    ///
    /// # Errors
    /// [`KeyError::ScalarRange`] when it is zero or not below the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = p256::SecretKey::from_slice(bytes).map_err(|_| KeyError::ScalarRange)?;
        Ok(Self::from_secret(secret))
    }

    /// BoringSSL's seeded key derivation, which Chromium uses: 48 bytes of
    /// `HKDF-SHA256(salt = none, ikm = seed, info = "derive EC key P-256")`, reduced modulo the group order.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut wide = Zeroizing::new([0_u8; 48]);
        hkdf_into(seed, &[], b"derive EC key P-256", wide.as_mut_slice());
        let mut scalar = reduce_wide(&wide);
        let secret = NonZeroScalar::new(scalar).into_option().map(p256::SecretKey::from);
        scalar.zeroize();
        // Zero comes out with a probability of 2^-256; deriving once more keeps the function total.
        secret.map_or_else(|| Self::from_seed(wide.as_slice()), Self::from_secret)
    }

    fn from_secret(secret: p256::SecretKey) -> Self {
        let public = PublicKey::from_point(secret.public_key());
        Self { secret, public }
    }

    /// The public key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Diffie-Hellman with a peer's key.
    pub fn diffie_hellman(&self, peer: &PublicKey) -> SharedSecret {
        let shared = self.secret.diffie_hellman(&peer.point);
        let mut bytes = Box::new([0_u8; 32]);
        bytes.iter_mut().zip(shared.raw_secret_bytes()).for_each(|(to, from)| *to = *from);
        SharedSecret::from_boxed(bytes)
    }

    /// The scalar, 32 bytes big-endian, in a copy that is wiped on drop.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A 48-byte big-endian number modulo the group order.
fn reduce_wide(wide: &[u8; 48]) -> Scalar {
    let (high, low) = wide.split_at(16);
    let mut padded_high = FieldBytes::default();
    padded_high.iter_mut().skip(16).zip(high).for_each(|(to, from)| *to = *from);
    let mut low_bytes = FieldBytes::default();
    low_bytes.iter_mut().zip(low).for_each(|(to, from)| *to = *from);
    let shift = Scalar::reduce(&FieldBytes::from([0xff; 32])) + Scalar::ONE;
    let reduced = Scalar::reduce(&padded_high) * shift + Scalar::reduce(&low_bytes);
    padded_high.zeroize();
    low_bytes.zeroize();
    reduced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scalar_range_is_checked() {
        assert_eq!(PrivateKey::from_bytes(&[0; 32]).unwrap_err(), KeyError::ScalarRange);
        assert_eq!(PrivateKey::from_bytes(&[0xff; 32]).unwrap_err(), KeyError::ScalarRange);
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = PrivateKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("PrivateKey {{ public: {:?}, .. }}", key.public_key()));
        assert_eq!(format!("{:?}", key.diffie_hellman(key.public_key())), "SharedSecret(..)");
    }

    proptest! {
        #[test]
        fn both_forms_agree(seed in any::<[u8; 16]>()) {
            let public = *PrivateKey::from_seed(&seed).public_key();
            prop_assert_eq!(PublicKey::from_uncompressed(public.to_uncompressed()).unwrap(), public);
            prop_assert_eq!(PublicKey::from_compressed(&public.to_compressed()).unwrap(), public);
        }

        #[test]
        fn any_bytes_give_an_answer(mut bytes in proptest::array::uniform32(any::<u8>()), form in 0_u8..=8) {
            let mut compressed = [form; 33];
            compressed[1..].copy_from_slice(&bytes);
            let _ = PublicKey::from_compressed(&compressed);
            bytes[0] |= form;
            let _ = PrivateKey::from_bytes(&bytes);
        }
    }
}
