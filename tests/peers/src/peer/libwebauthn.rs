//! libwebauthn as the laptop: its WebAuthn calls over its hybrid transport, the crate `pxp`.

use std::sync::Arc;

use libwebauthn::{
    ops::webauthn::{
        GetAssertionRequest, JsonFormat, MakeCredentialRequest, OriginValidation, PublicSuffixList,
        RelatedOrigins, RequestOrigin, RequestSettings, WebAuthnIDLResponse,
    },
    transport::{
        Channel, ChannelSettings, Device,
        hybrid::{
            channel::HybridChannel,
            error::PxpError,
            known_devices::{ClientPayloadHint, EphemeralDeviceInfoStore, PxpKnownDevice},
            qr_code_device::{PxpQrCodeDevice, PxpTransports, QrCodeOperationHint},
        },
    },
    webauthn::{WebAuthn, WebAuthnError},
};
use serde_json::Value;

use super::{next_order, tell};
use crate::orders::{Event, ORIGIN, Order, Way};

/// Enough of a public suffix list for a site below a top-level domain.
struct LastLabel;

impl PublicSuffixList for LastLabel {
    fn public_suffix(&self, host: &str) -> Option<String> {
        host.rsplit('.').next().map(str::to_owned)
    }
}

/// Carries out orders until there are no more.
pub(super) async fn run() {
    let store = Arc::new(EphemeralDeviceInfoStore::new());
    while let Some(order) = next_order() {
        let event = match order {
            Order::Create { options, way } => {
                ceremony(&store, way, QrCodeOperationHint::MakeCredential, options).await
            }
            Order::Get { options, way } => {
                ceremony(&store, way, QrCodeOperationHint::GetAssertionRequest, options).await
            }
            Order::CountLinks => Event::Links(store.list_all().await.len()),
            Order::Answer { .. } => Event::Failed("libwebauthn is no phone".to_owned()),
        };
        tell(&event);
    }
}

/// A whole ceremony, with the goodbye that libwebauthn leaves to its caller.
async fn ceremony(
    store: &Arc<EphemeralDeviceInfoStore>,
    way: Way,
    hint: QrCodeOperationHint,
    options: Value,
) -> Event {
    let mut channel = match open(store, way, hint).await {
        Ok(channel) => channel,
        Err(error) => return Event::Failed(error),
    };
    let outcome = match hint {
        QrCodeOperationHint::MakeCredential => create(&mut channel, &options).await,
        QrCodeOperationHint::GetAssertionRequest => get(&mut channel, &options).await,
    };
    channel.close().await;
    outcome.unwrap_or_else(|error| match error {
        WebAuthnError::Ctap(status) => Event::Refused(status.into()),
        other => Event::Failed(other.to_string()),
    })
}

/// Starts a session; the search for the phone goes on inside the channel.
async fn open(
    store: &Arc<EphemeralDeviceInfoStore>,
    way: Way,
    hint: QrCodeOperationHint,
) -> Result<HybridChannel, String> {
    if way == Way::Link {
        let links = store.list_all().await;
        let (_, info) = links.first().ok_or("no phone is remembered")?;
        let hint = match hint {
            QrCodeOperationHint::MakeCredential => ClientPayloadHint::MakeCredential,
            QrCodeOperationHint::GetAssertionRequest => ClientPayloadHint::GetAssertion,
        };
        let device = PxpKnownDevice::new(hint, info, store.clone()).await;
        let mut device = device.map_err(|error| error.to_string())?;
        return device.channel(ChannelSettings::default()).await.map_err(|error| error.to_string());
    }
    let device = match way {
        Way::CodeWithL2cap => PxpQrCodeDevice::new_transient(hint, PxpTransports::CloudAssistedOrLocal),
        Way::CodeAndLink => {
            PxpQrCodeDevice::new_persistent(hint, store.clone(), PxpTransports::CloudAssistedOnly)
        }
        _ => PxpQrCodeDevice::new_transient(hint, PxpTransports::CloudAssistedOnly),
    };
    let mut device = device.map_err(|error| error.to_string())?;
    let channel = device.channel(ChannelSettings::default()).await.map_err(|error| error.to_string())?;
    tell(&Event::Code(device.qr_code.to_string()));
    Ok(channel)
}

async fn create(channel: &mut HybridChannel, options: &Value) -> Result<Event, WebAuthnError<PxpError>> {
    let (origin, text) = (RequestOrigin::try_from(ORIGIN).unwrap(), options["publicKey"].to_string());
    let request = MakeCredentialRequest::prepare(&origin, &text, &settings()).await.unwrap();
    let response = channel.webauthn_make_credential(&request).await?;
    Ok(Event::Credential(json(&response.to_json_string(&request, JsonFormat::Minified).unwrap())))
}

async fn get(channel: &mut HybridChannel, options: &Value) -> Result<Event, WebAuthnError<PxpError>> {
    let (origin, text) = (RequestOrigin::try_from(ORIGIN).unwrap(), options["publicKey"].to_string());
    let request = GetAssertionRequest::prepare(&origin, &text, &settings()).await.unwrap();
    let response = channel.webauthn_get_assertion(&request).await?;
    let [assertion] = response.assertions.as_slice() else {
        return Ok(Event::Failed(format!("{} assertions", response.assertions.len())));
    };
    Ok(Event::Credential(json(&assertion.to_json_string(&request, JsonFormat::Minified).unwrap())))
}

const fn settings() -> RequestSettings<'static> {
    RequestSettings {
        origin: OriginValidation::Validate {
            public_suffix_list: &LastLabel,
            related_origins: RelatedOrigins::Disabled,
        },
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
