//! From WebAuthn options to the parameters of a CTAP command.

use passkey_crypto::iana::{Algorithm, EnumI64};
use passkey_types::{
    ctap2::{get_assertion, make_credential},
    webauthn::{
        PublicKeyCredentialDescriptor, PublicKeyCredentialParameters, PublicKeyCredentialType,
        PublicKeyCredentialUserEntity,
    },
};
use webauthn_rs_proto::{
    PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions, ResidentKeyRequirement,
    UserVerificationPolicy,
};

use super::ClientError;

/// The parameters of authenticatorMakeCredential (WebAuthn section 5.1.3). Extensions are not passed on.
pub(super) fn creation(
    options: &PublicKeyCredentialCreationOptions,
    client_data_hash: &[u8],
) -> Result<make_credential::Request, ClientError> {
    let known = options.pub_key_cred_params.iter().filter_map(|offered| Algorithm::from_i64(offered.alg));
    let pub_key_cred_params: Vec<_> = known.map(PublicKeyCredentialParameters::from).collect();
    if pub_key_cred_params.is_empty() {
        return Err(ClientError::NoAlgorithm);
    }
    let excluded = options.exclude_credentials.iter().flatten().map(|excluded| &excluded.id);
    let selection = options.authenticator_selection.clone().unwrap_or_default();
    Ok(make_credential::Request {
        client_data_hash: client_data_hash.into(),
        rp: make_credential::PublicKeyCredentialRpEntity {
            id: options.rp.id.clone(),
            name: Some(options.rp.name.clone()),
        },
        user: PublicKeyCredentialUserEntity {
            id: options.user.id.clone().into(),
            display_name: options.user.display_name.clone(),
            name: options.user.name.clone(),
        },
        pub_key_cred_params,
        exclude_list: descriptors(excluded),
        extensions: None,
        options: make_credential::Options {
            rk: wants_discoverable(selection.resident_key),
            up: true,
            uv: wants_verification(selection.user_verification),
        },
        pin_auth: None,
        pin_protocol: None,
    })
}

/// The parameters of authenticatorGetAssertion (WebAuthn section 5.1.4). Extensions are not passed on.
pub(super) fn assertion(
    options: &PublicKeyCredentialRequestOptions,
    client_data_hash: &[u8],
) -> get_assertion::Request {
    get_assertion::Request {
        rp_id: options.rp_id.clone(),
        client_data_hash: client_data_hash.into(),
        allow_list: descriptors(options.allow_credentials.iter().map(|allowed| &allowed.id)),
        extensions: None,
        options: get_assertion::Options { up: true, uv: wants_verification(options.user_verification) },
        pin_auth: None,
        pin_protocol: None,
    }
}

/// A list of credentials; CTAP wants an empty one left out.
fn descriptors<'a>(ids: impl Iterator<Item = &'a Vec<u8>>) -> Option<Vec<PublicKeyCredentialDescriptor>> {
    let list: Vec<_> = ids
        .map(|id| PublicKeyCredentialDescriptor {
            ty: PublicKeyCredentialType::PublicKey,
            id: id.clone().into(),
            transports: None,
        })
        .collect();
    (!list.is_empty()).then_some(list)
}

/// Phones can always verify their user, so a preference is as good as a demand.
fn wants_verification(policy: UserVerificationPolicy) -> bool {
    !matches!(policy, UserVerificationPolicy::Discouraged_DO_NOT_USE)
}

fn wants_discoverable(requirement: Option<ResidentKeyRequirement>) -> bool {
    matches!(requirement, Some(ResidentKeyRequirement::Required | ResidentKeyRequirement::Preferred))
}
