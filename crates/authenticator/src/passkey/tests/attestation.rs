//! Passkeys that attest themselves, and stores that leave nothing to attest with.

use passkey_authenticator::StoreInfo;
use passkey_crypto::{AvailableSecretKey, PublicKeyT, SecretKeyT};
use passkey_types::ctap2::{StatusCode, make_credential as made};

use super::*;

fn of_algorithm(algorithm: Algorithm) -> Vec<u8> {
    let pub_key_cred_params = vec![PublicKeyCredentialParameters::from(algorithm)];
    bytes(0x01, &make_credential::Request { pub_key_cred_params, ..creation() })
}

#[tokio::test]
async fn a_passkey_signs_for_itself() {
    for (algorithm, number) in [(Algorithm::ES256, -7), (Algorithm::EdDSA, -8)] {
        let (mut service, _) = service(true);
        service.authenticator_mut().set_algorithms(&[algorithm]).unwrap();
        service.set_attestation(Attestation::SelfSigned);
        let reply = service.call(&of_algorithm(algorithm)).await;
        check_canonical(&reply[1..]).unwrap();
        let made = granted(&reply);
        assert_eq!(member(&made, 1), Some(&Value::from("packed")));
        let statement = member(&made, 3).unwrap();
        assert_eq!(member(statement, "alg"), Some(&Value::from(number)));
        assert_eq!(statement.as_map().unwrap().len(), 2, "no certificate");

        let auth_data = member_bytes(&made, 2);
        assert_eq!(auth_data[37..53], [0; 16], "it names no model");
        let passkey = service.authenticator().store().iter().next().unwrap();
        let key = AvailableSecretKey::from_cose_key(&passkey.key).unwrap().public_key();
        let signature = member_bytes(statement, "sig");
        let signed = [auth_data, &[0xC1; 32]].concat();
        key.verify(&signed, signature).unwrap();
        assert!(key.verify(&[auth_data, &[0xC2; 32]].concat(), signature).is_err(), "another challenge");
    }
}

#[tokio::test]
async fn each_passkey_attests_as_was_said_last() {
    let (mut service, _) = service(true);
    for (attestation, format) in [(Attestation::SelfSigned, "packed"), (Attestation::None, "none")] {
        service.set_attestation(attestation);
        let made = granted(&service.call(&bytes(0x01, &creation())).await);
        assert_eq!(member(&made, 1), Some(&Value::from(format)));
    }
}

/// Keeps passkeys and never gives one back.
#[derive(Default)]
struct Vault(usize);

#[async_trait]
impl CredentialStore for Vault {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        _ids: Option<&[PublicKeyCredentialDescriptor]>,
        _rp_id: &str,
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        Err(Ctap2Error::NoCredentials.into())
    }

    async fn save_credential(
        &mut self,
        _passkey: Passkey,
        _user: made::PublicKeyCredentialUserEntity,
        _rp: made::PublicKeyCredentialRpEntity,
        _options: made::Options,
    ) -> Result<(), StatusCode> {
        self.0 += 1;
        Ok(())
    }

    async fn update_credential(&mut self, _passkey: &Passkey) -> Result<(), StatusCode> {
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        InMemoryPasskeys::new().get_info().await
    }
}

#[tokio::test]
async fn a_passkey_that_is_kept_is_told_of_without_its_key() {
    let user = User { consents: true, asked: Arc::default() };
    let authenticator = Authenticator::new(
        Aaguid::new_empty(),
        Vault::default(),
        ExclusionGuard::new(user),
        AvailableBackend,
    );
    let mut service = PasskeyService::new(authenticator);
    service.set_attestation(Attestation::SelfSigned);
    let made = granted(&service.call(&bytes(0x01, &creation())).await);
    assert_eq!(member(&made, 1), Some(&Value::from("none")));
    assert_eq!(member(&made, 3), Some(&Value::Map(Vec::new())));
    assert_eq!(service.authenticator().store().0, 1);
}
