//! What the reply with a new passkey proves about what made it (WebAuthn Level 3 section 6.5).

use ciborium::Value;
use passkey_authenticator::{CredentialStore, PasskeyAccessor};
use passkey_crypto::{
    CryptoBackend, SecretKeyT,
    coset::{CoseKey, RegisteredLabelWithPrivate, iana::EnumI64},
};
use passkey_types::{
    ctap2::AuthenticatorData,
    webauthn::{PublicKeyCredentialDescriptor, PublicKeyCredentialType},
};

/// The format of a statement that the passkey signs (WebAuthn Level 3 section 8.2).
pub(super) const PACKED: &str = "packed";

/// What the reply with a new passkey proves about what made it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attestation {
    /// Nothing: format `none`. What phones give over this transport.
    #[default]
    None,
    /// That whoever made the passkey has its private key: format `packed` with the passkey's own signature and no
    /// certificate. It says nothing about the make or model, and any program can give it. Some programs refuse `none`.
    SelfSigned,
}

/// The statement for a passkey that has just been kept: its signature over what the relying party gets. `None` if the store
/// does not give its key.
pub(super) async fn statement<S, C>(
    store: &S,
    rp_id: &str,
    made: &AuthenticatorData,
    client_data_hash: &[u8],
) -> Option<Value>
where
    S: CredentialStore + Sync,
    C: CryptoBackend,
{
    let attested = made.attested_credential_data.as_ref()?;
    let descriptor = PublicKeyCredentialDescriptor {
        ty: PublicKeyCredentialType::PublicKey,
        id: attested.credential_id().to_vec().into(),
        transports: None,
    };
    let found = store.find_credentials(Some(&[descriptor]), rp_id, None).await.ok()?;
    let mut key = C::SecretKey::from_cose_key(&found.first()?.key()).ok()?;
    let signed = [&made.to_vec(), client_data_hash].concat();
    let members = [("alg", algorithm(&attested.key)?), ("sig", Value::Bytes(key.sign(&signed)))];
    Some(Value::Map(members.map(|(name, value)| (Value::from(name), value)).to_vec()))
}

/// The number of what a key signs with.
fn algorithm(key: &CoseKey) -> Option<Value> {
    match key.alg.as_ref()? {
        RegisteredLabelWithPrivate::Assigned(algorithm) => Some(Value::from(algorithm.to_i64())),
        RegisteredLabelWithPrivate::PrivateUse(number) => Some(Value::from(*number)),
        RegisteredLabelWithPrivate::Text(_) => None,
    }
}
