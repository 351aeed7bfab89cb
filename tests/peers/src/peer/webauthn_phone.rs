//! webauthn-authenticator-rs as the phone: its caBLE authenticator over its software token, advertising through BlueZ.

use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use bluer::adv::{Advertisement, AdvertisementHandle, Type};
use webauthn_authenticator_rs::{
    AuthenticatorBackendHashedClientData,
    cable::{Advertiser, ShareCableAuthenticatorOptions, share_cable_authenticator},
    error::{CtapError, WebauthnCError},
    softtoken::SoftToken,
    types::{CableRequestType, CableState, EnrollSampleStatus},
    ui::UiCallback,
};
use webauthn_rs_proto::{
    PublicKeyCredential, PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions,
    RegisterPublicKeyCredential, UserVerificationPolicy,
};

use super::{next_order, tell};
use crate::orders::{Event, Order};

/// Carries out orders until there are no more.
pub(super) async fn run() {
    let (token, _) = SoftToken::new(true).unwrap();
    let mut phone = Phone { token, held: BTreeSet::new(), agrees: true };
    let mut radio = Radio { session: bluer::Session::new().await.unwrap(), advert: None };
    while let Some(order) = next_order() {
        let event = match order {
            Order::Answer { code, domain, agrees } => {
                phone.agrees = agrees;
                let (info, options) = (phone.token.get_info(), ShareCableAuthenticatorOptions::default());
                let options = options.tunnel_server_id(domain);
                match share_cable_authenticator(&mut phone, info, &code, &mut radio, &Screen, options).await {
                    Ok(()) => Event::Answered,
                    Err(error) => Event::Failed(error.to_string()),
                }
            }
            _ => Event::Failed("this is no laptop".to_owned()),
        };
        tell(&event);
    }
}

/// The software token with an owner: it verifies its user, heeds exclude lists, and refuses if the owner says so. The
/// token alone does none of these, and the hybrid transport leaves them to it.
struct Phone {
    token: SoftToken,
    held: BTreeSet<Vec<u8>>,
    agrees: bool,
}

impl Phone {
    fn ask_owner(&self) -> Result<(), WebauthnCError> {
        if self.agrees { Ok(()) } else { Err(WebauthnCError::Ctap(CtapError::Ctap2OperationDenied)) }
    }
}

impl AuthenticatorBackendHashedClientData for Phone {
    fn perform_register(
        &mut self,
        client_data_hash: Vec<u8>,
        mut options: PublicKeyCredentialCreationOptions,
        timeout_ms: u32,
    ) -> Result<RegisterPublicKeyCredential, WebauthnCError> {
        self.ask_owner()?;
        let excluded = options.exclude_credentials.iter().flatten();
        if excluded.into_iter().any(|credential| self.held.contains(credential.id.as_slice())) {
            return Err(WebauthnCError::Ctap(CtapError::Ctap2CredentialExcluded));
        }
        options.authenticator_selection.get_or_insert_default().user_verification =
            UserVerificationPolicy::Required;
        let made = self.token.perform_register(client_data_hash, options, timeout_ms)?;
        self.held.insert(made.raw_id.to_vec());
        Ok(made)
    }

    fn perform_auth(
        &mut self,
        client_data_hash: Vec<u8>,
        mut options: PublicKeyCredentialRequestOptions,
        timeout_ms: u32,
    ) -> Result<PublicKeyCredential, WebauthnCError> {
        self.ask_owner()?;
        let allowed = options.allow_credentials.iter();
        if !allowed.into_iter().any(|credential| self.held.contains(credential.id.as_slice())) {
            return Err(WebauthnCError::Ctap(CtapError::Ctap2NoCredentials));
        }
        options.user_verification = UserVerificationPolicy::Required;
        self.token.perform_auth(client_data_hash, options, timeout_ms)
    }
}

/// BlueZ, by way of bluer.
struct Radio {
    session: bluer::Session,
    advert: Option<AdvertisementHandle>,
}

#[async_trait]
impl Advertiser for Radio {
    async fn start_advertising(&mut self, service_uuid: u16, payload: &[u8]) -> Result<(), WebauthnCError> {
        let service = bluer::Uuid::from_u128((u128::from(service_uuid) << 96) | 0x1000_8000_0080_5f9b_34fb);
        let advert = Advertisement {
            advertisement_type: Type::Broadcast,
            service_data: BTreeMap::from([(service, payload.to_vec())]),
            min_interval: Some(Duration::from_millis(100)),
            max_interval: Some(Duration::from_millis(100)),
            ..Default::default()
        };
        let adapter = self.session.default_adapter().await.map_err(failed)?;
        self.advert = Some(adapter.advertise(advert).await.map_err(failed)?);
        Ok(())
    }

    async fn stop_advertising(&mut self) -> Result<(), WebauthnCError> {
        self.advert = None;
        Ok(())
    }
}

fn failed(error: bluer::Error) -> WebauthnCError {
    WebauthnCError::IoError(error.to_string())
}

/// The phone shows nothing.
#[derive(Debug)]
struct Screen;

impl UiCallback for Screen {
    fn request_pin(&self) -> Option<String> {
        None
    }

    fn request_touch(&self) {}

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, _: String) {}

    fn dismiss_qr_code(&self) {}

    fn cable_status_update(&self, _: CableState) {}
}
