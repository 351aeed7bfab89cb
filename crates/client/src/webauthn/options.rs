//! What a website asks for, in WebAuthn's JSON (Level 3 section 5.1.9 and following).
//!
//! Unknown members are skipped, and unknown words of an enumeration count as absent, as the standard says. `null`
//! counts as absent too: many servers write it.

use std::{fmt, time::Duration};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::{base64::Base64Url, error::OptionsError};

/// The only type of credential there is.
pub(super) const PUBLIC_KEY: &str = "public-key";
/// The range that the standard recommends for ceremonies in which a person has to find a device.
const TIMEOUT: (f64, f64) = (300_000.0, 600_000.0);

/// Options for making a passkey: `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    pub(super) rp: RelyingParty,
    pub(super) user: User,
    pub(super) challenge: Base64Url,
    pub(super) pub_key_cred_params: Vec<KeyParameter>,
    timeout: Option<f64>,
    exclude_credentials: Option<Vec<Descriptor>>,
    authenticator_selection: Option<Selection>,
    attestation: Option<String>,
    extensions: Option<Extensions>,
    #[serde(flatten)]
    _object: Object,
}

/// Options for signing in with a passkey: `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    pub(super) challenge: Base64Url,
    timeout: Option<f64>,
    pub(super) rp_id: Option<String>,
    allow_credentials: Option<Vec<Descriptor>>,
    user_verification: Option<String>,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Clone, Deserialize)]
pub(super) struct RelyingParty {
    pub(super) id: Option<String>,
    pub(super) name: String,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: Base64Url,
    pub(super) name: String,
    pub(super) display_name: String,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Clone, Deserialize)]
pub(super) struct KeyParameter {
    #[serde(rename = "type")]
    ty: String,
    pub(super) alg: i64,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    #[serde(rename = "type")]
    ty: String,
    id: Base64Url,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    authenticator_attachment: Option<String>,
    resident_key: Option<String>,
    require_resident_key: Option<bool>,
    user_verification: Option<String>,
    #[serde(flatten)]
    _object: Object,
}

/// Only those that a phone at the other end of a tunnel can serve; the others count as unknown.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    cred_props: Option<Value>,
    #[serde(flatten)]
    _object: Object,
}

/// Takes what a struct has no member for. A flattened member makes serde read objects alone, where it would take an array
/// of the members too.
#[derive(Clone, Default, Deserialize)]
struct Object {}

/// How much a website wants something of the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Required,
    Preferred,
    Discouraged,
}

impl Wish {
    fn from_word(word: Option<&str>) -> Option<Self> {
        match word {
            Some("required") => Some(Self::Required),
            Some("preferred") => Some(Self::Preferred),
            Some("discouraged") => Some(Self::Discouraged),
            _ => None,
        }
    }
}

impl CreationOptions {
    /// Reads the options: the object itself, or one with the options as its member `publicKey`.
    ///
    /// # Errors
    /// [`OptionsError::Json`] with the place, or another [`OptionsError`] for what can be seen without the origin.
    pub fn from_json(json: &[u8]) -> Result<Self, OptionsError> {
        let options: Self = read(json)?;
        let length = options.user.id.0.len();
        if !(1..=64).contains(&length) {
            return Err(OptionsError::UserId { length });
        }
        if options.attachment() == Some("platform") {
            return Err(OptionsError::Platform);
        }
        Ok(options)
    }

    pub(super) fn timeout(&self) -> Duration {
        timeout(self.timeout)
    }

    pub(super) fn excluded(&self) -> impl Iterator<Item = &[u8]> {
        usable(self.exclude_credentials.as_deref())
    }

    /// The algorithms in the order of preference; WebAuthn's own two if none is named.
    pub(super) fn algorithms(&self) -> Result<Vec<i64>, OptionsError> {
        if self.pub_key_cred_params.is_empty() {
            return Ok(vec![-7, -257]);
        }
        let usable = self.pub_key_cred_params.iter().filter(|parameter| parameter.ty == PUBLIC_KEY);
        let algorithms: Vec<_> = usable.map(|parameter| parameter.alg).collect();
        if algorithms.is_empty() { Err(OptionsError::NoAlgorithm) } else { Ok(algorithms) }
    }

    /// Whether the passkey should be found without the account's name.
    pub(super) fn discoverable(&self) -> Wish {
        let selection = self.authenticator_selection.as_ref();
        let old = if selection.and_then(|selection| selection.require_resident_key) == Some(true) {
            Wish::Required
        } else {
            Wish::Discouraged
        };
        let word = selection.and_then(|selection| selection.resident_key.as_deref());
        Wish::from_word(word).unwrap_or(old)
    }

    pub(super) fn verification(&self) -> Wish {
        let selection = self.authenticator_selection.as_ref();
        let word = selection.and_then(|selection| selection.user_verification.as_deref());
        Wish::from_word(word).unwrap_or(Wish::Preferred)
    }

    /// Whether the website asked for the attestation statement. Without a policy of an enterprise, `enterprise` is a
    /// plain request.
    pub(super) fn wants_attestation(&self) -> bool {
        matches!(self.attestation.as_deref(), Some("direct" | "indirect" | "enterprise"))
    }

    /// Whether the extension `credProps` is asked for.
    pub(super) fn wants_properties(&self) -> bool {
        let extensions = self.extensions.as_ref();
        extensions.and_then(|extensions| extensions.cred_props.as_ref()) == Some(&Value::Bool(true))
    }

    fn attachment(&self) -> Option<&str> {
        self.authenticator_selection.as_ref()?.authenticator_attachment.as_deref()
    }
}

impl RequestOptions {
    /// Reads the options: the object itself, or one with the options as its member `publicKey`.
    ///
    /// # Errors
    /// [`OptionsError::Json`] with the place, or [`OptionsError::NoCredential`].
    pub fn from_json(json: &[u8]) -> Result<Self, OptionsError> {
        let options: Self = read(json)?;
        let listed = options.allow_credentials.as_ref().is_some_and(|list| !list.is_empty());
        if listed && options.allowed().next().is_none() {
            return Err(OptionsError::NoCredential);
        }
        Ok(options)
    }

    pub(super) fn timeout(&self) -> Duration {
        timeout(self.timeout)
    }

    pub(super) fn allowed(&self) -> impl Iterator<Item = &[u8]> {
        usable(self.allow_credentials.as_deref())
    }

    pub(super) fn verification(&self) -> Wish {
        Wish::from_word(self.user_verification.as_deref()).unwrap_or(Wish::Preferred)
    }
}

impl fmt::Debug for CreationOptions {
    /// Names whose passkey it is about, and nothing of the user and the challenge.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreationOptions").field("rp_id", &self.rp.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for RequestOptions {
    /// Names whose passkey it is about, and nothing of the passkeys and the challenge.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestOptions").field("rp_id", &self.rp_id).finish_non_exhaustive()
    }
}

/// Whether the object is one around the options.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    public_key: Option<IgnoredAny>,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enclosed<T> {
    public_key: T,
    #[serde(flatten)]
    _object: Object,
}

/// Reads the text twice, so that an error names its place in it.
fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, OptionsError> {
    let envelope: Envelope = serde_json::from_slice(json)?;
    if envelope.public_key.is_some() {
        return Ok(serde_json::from_slice::<Enclosed<T>>(json)?.public_key);
    }
    Ok(serde_json::from_slice(json)?)
}

fn timeout(milliseconds: Option<f64>) -> Duration {
    let (least, most) = TIMEOUT;
    let milliseconds = milliseconds.unwrap_or(least).clamp(least, most);
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::from_mins(5))
}

/// The IDs of the credentials of the only type that there is.
fn usable(list: Option<&[Descriptor]>) -> impl Iterator<Item = &[u8]> {
    let list = list.unwrap_or_default();
    list.iter().filter(|descriptor| descriptor.ty == PUBLIC_KEY).map(|descriptor| descriptor.id.0.as_slice())
}
