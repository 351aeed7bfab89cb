//! Keys of the hybrid transport, one type per role, and how each follows from another.
//!
//! ```text
//! derive(secret, salt, purpose, n) = HKDF-SHA256(salt, ikm = secret, info = LE32(purpose), n bytes)
//! ```
//!
//! Derivations are methods of the secret they start from, so that no purpose, salt or length can be mixed up.

mod contact;
mod p256;
mod transaction;

pub use self::{
    contact::{IdentitySeed, LinkSecret, PerContactSecret, RootSecret},
    p256::{KeyError, PrivateKey, PublicKey, SharedSecret},
    transaction::{EidKey, Psk, QrSecret},
};

/// The purposes of the key derivation, as the four bytes of the HKDF info.
struct Purpose([u8; 4]);

impl Purpose {
    const EID_KEY: Self = Self(1_u32.to_le_bytes());
    const TUNNEL_ID: Self = Self(2_u32.to_le_bytes());
    const PSK: Self = Self(3_u32.to_le_bytes());
    const PAIRED_SECRET: Self = Self(4_u32.to_le_bytes());
    const IDENTITY_SEED: Self = Self(5_u32.to_le_bytes());
    const PER_CONTACT_SECRET: Self = Self(6_u32.to_le_bytes());
}

/// `derive` of the module's text, into a boxed array. An empty salt is the same as none.
fn derive<const N: usize>(secret: &[u8], salt: &[u8], purpose: &Purpose) -> Box<[u8; N]> {
    let mut out = Box::new([0_u8; N]);
    derive_into(secret, salt, purpose, out.as_mut_slice());
    out
}

fn derive_into(secret: &[u8], salt: &[u8], purpose: &Purpose, out: &mut [u8]) {
    hkdf_into(secret, salt, &purpose.0, out);
}

/// HKDF-SHA256 into at most 64 bytes here, far from the 8,160 at which expanding fails.
fn hkdf_into(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    let expanded = hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), secret).expand(info, out);
    debug_assert!(expanded.is_ok(), "an HKDF output of {} bytes", out.len());
}
