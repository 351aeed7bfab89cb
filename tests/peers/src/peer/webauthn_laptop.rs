//! webauthn-authenticator-rs as the laptop: its WebAuthn calls over its caBLE client.

use serde_json::Value;
use url::Url;
use webauthn_authenticator_rs::{
    WebauthnAuthenticator,
    cable::connect_cable_authenticator,
    error::WebauthnCError,
    types::{CableRequestType, CableState, EnrollSampleStatus},
    ui::UiCallback,
};

use super::{next_order, tell};
use crate::orders::{Event, ORIGIN, Order};

/// A screen: whatever is shown goes to the suite.
#[derive(Debug)]
struct Screen;

impl UiCallback for Screen {
    fn request_pin(&self) -> Option<String> {
        None
    }

    fn request_touch(&self) {}

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, url: String) {
        tell(&Event::Code(url));
    }

    fn dismiss_qr_code(&self) {}

    fn cable_status_update(&self, _: CableState) {}
}

/// Carries out orders until there are no more.
pub(super) async fn run() {
    while let Some(order) = next_order() {
        let outcome = match order {
            Order::Create { options, .. } => {
                ceremony(CableRequestType::DiscoverableMakeCredential, options).await
            }
            Order::Get { options, .. } => ceremony(CableRequestType::GetAssertion, options).await,
            Order::Answer { .. } | Order::CountLinks => Err(WebauthnCError::NotSupported),
        };
        tell(&outcome.unwrap_or_else(|error| match error {
            WebauthnCError::Ctap(status) => Event::Refused(status.into()),
            other => Event::Failed(other.to_string()),
        }));
    }
}

async fn ceremony(request: CableRequestType, options: Value) -> Result<Event, WebauthnCError> {
    let mut phone = connect_cable_authenticator(request, &Screen).await?;
    let origin = Url::parse(ORIGIN).unwrap();
    // Its WebAuthn calls block the thread until the phone has answered.
    let credential = tokio::task::block_in_place(|| match request {
        CableRequestType::GetAssertion => {
            let options = serde_json::from_value(options).unwrap();
            phone.do_authentication(origin, options).map(|done| serde_json::to_value(done).unwrap())
        }
        _ => {
            let options = serde_json::from_value(options).unwrap();
            phone.do_registration(origin, options).map(|done| serde_json::to_value(done).unwrap())
        }
    })?;
    Ok(Event::Credential(credential))
}
