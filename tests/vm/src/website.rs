//! The website: `webauthn-rs`, which makes the options and verifies what comes back.

use hybridge_demo::relying_party::{PendingRegistration, PendingSignIn, RelyingParty};
use hybridge_radio_conformance::table::Failure;
use url::Url;

/// Where its pages are.
pub(crate) const ORIGIN: &str = "https://demo.example";
pub(crate) const RP_ID: &str = "demo.example";
/// Whose passkey is made through the tunnel, whose over Bluetooth, and whose for the security key: nobody gets two on one
/// phone.
pub(crate) const USERS: [&str; 3] = ["ada", "grace", "hedy"];

pub(crate) struct Website(RelyingParty);

impl Website {
    pub(crate) fn new() -> Result<Self, Failure> {
        let origin = Url::parse(ORIGIN).map_err(Failure::needed("the origin"))?;
        RelyingParty::new(RP_ID, &origin).map(Self).map_err(Failure::needed("the website"))
    }

    /// The options of a user's registration, as JSON.
    pub(crate) fn registration(&self, user: &str) -> Result<(String, PendingRegistration), Failure> {
        let (options, pending) = self.0.begin_registration(user).map_err(Failure::needed("the website"))?;
        Ok((serde_json::to_string(&options.public_key).map_err(Failure::needed("the options"))?, pending))
    }

    /// Verifies the credential that a laptop printed.
    pub(crate) fn register(&mut self, pending: PendingRegistration, printed: &str) -> Result<(), Failure> {
        let response = serde_json::from_str(printed).map_err(Failure::needed("the credential"))?;
        self.0.finish_registration(pending, &response).map_err(Failure::needed("the verification"))
    }

    /// The options of a sign-in, as JSON.
    pub(crate) fn sign_in(&self) -> Result<(String, PendingSignIn), Failure> {
        let (options, pending) = self.0.begin_sign_in().map_err(Failure::needed("the website"))?;
        Ok((serde_json::to_string(&options.public_key).map_err(Failure::needed("the options"))?, pending))
    }

    /// Verifies the assertion that a laptop printed.
    pub(crate) fn signed_in(&mut self, pending: PendingSignIn, printed: &str) -> Result<(), Failure> {
        let response = serde_json::from_str(printed).map_err(Failure::needed("the credential"))?;
        let signed_in =
            self.0.finish_sign_in(pending, &response).map_err(Failure::needed("the verification"))?;
        if !USERS.contains(&signed_in.user.as_str()) || !signed_in.user_verified {
            return Err(Failure::unexpected("a verified user", signed_in));
        }
        Ok(())
    }
}
