//! The laptop's side of the FIDO hybrid transport (CTAP 2.2/2.3 section 11.5): shows a QR code, finds the phone that
//! scanned it, and talks CTAP with it.
//!
//! A [`Session`] looks for one phone over a radio and a tunnel service, and becomes a [`CtapChannel`] when the phone
//! has connected. What happens meanwhile comes as [`Progress`]; why it failed, as an [`Error`] that tells "Bluetooth
//! is off" from "nobody scanned the code" from "the phone said no". Dropping either ends everything behind it.
//!
//! The radio is any [`ble::Scanner`]. [`Session`] and [`CtapChannel`] do not check which site may ask for which passkey:
//! that is the caller's part, as in a browser, or that of the module `webauthn` (feature `webauthn`), which does check it.
//!
//! # A sign-in
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use hybridge_client::{
//!     Error, Hint, Progress, Session, SessionConfig, ble::DynScanner, passkey_types::ctap2::get_assertion,
//!     tunnel::WebSocketDialer,
//! };
//!
//! async fn sign_in(radio: Arc<dyn DynScanner>, request: &get_assertion::Request) -> Result<Vec<u8>, Error> {
//!     let config = SessionConfig::new(Hint::GetAssertion);
//!     let session = Session::start(config, radio, Arc::new(WebSocketDialer::new()))?;
//!     let show = |progress| match progress {
//!         Progress::ShowQr { code, .. } => draw(code.expose_text()),
//!         Progress::HideQr => hide(),
//!         Progress::WaitingForPhone => write("Approve on your phone."),
//!         _ => {}
//!     };
//!     let mut phone = session.connect(show).await?;
//!     let assertion = phone.get_assertion(request).await?;
//!     phone.close().await?;
//!     // Unknown members included, for the relying party to verify.
//!     Ok(assertion.raw)
//! }
//! # fn draw(_: &str) {}
//! # fn hide() {}
//! # fn write(_: &str) {}
//! ```
//!
//! # The same without a radio and a network
//!
//! The simulated air of [`ble::sim`] and the tunnel service of [`tunnel::MemoryService`] serve tests. The phone is one
//! of `hybridge-authenticator`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hybridge_authenticator::{Authenticator, CtapService, DomainId};
//! use hybridge_client::{Hint, Progress, Session, SessionConfig, ble::sim::Air, tunnel::MemoryService};
//! use tokio::sync::mpsc;
//!
//! /// Answers every request with "no credentials".
//! struct EmptyPhone;
//!
//! impl CtapService for EmptyPhone {
//!     async fn get_info(&mut self) -> Vec<u8> {
//!         vec![0xA0]
//!     }
//!
//!     async fn call(&mut self, _request: &[u8]) -> Vec<u8> {
//!         vec![0x2E]
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (air, service) = (Air::new(1), MemoryService::new());
//! let (radio, dialer) = (Arc::new(air.device("laptop")), Arc::new(service.clone()));
//! let session = Session::start(SessionConfig::new(Hint::GetAssertion), radio, dialer)?;
//!
//! let (show, mut screen) = mpsc::unbounded_channel();
//! let laptop = session.connect(move |progress| {
//!     if let Progress::ShowQr { code, .. } = progress {
//!         let _ = show.send(code.expose_text().to_owned());
//!     }
//! });
//! let phone = async {
//!     let code = screen.recv().await.unwrap_or_default();
//!     let (radio, dialer) = (Arc::new(air.device("phone")), Arc::new(service));
//!     Authenticator::new(DomainId::new(266), radio, dialer).answer_code(&code, &mut EmptyPhone, |_| {}).await
//! };
//! let laptop = async {
//!     let mut phone = laptop.await?;
//!     assert_eq!(phone.raw(&[0x02, 0xA0]).await?, [0x2E]);
//!     phone.close().await
//! };
//! let (laptop, phone) = tokio::join!(laptop, phone);
//! laptop?;
//! phone?;
//! # Ok(())
//! # }
//! ```
//!
//! # Remembered phones
//!
//! With [`SessionConfig::accept_linking`] a phone may send a [`Link`] ([`Progress::Linked`]). Put into
//! [`SessionConfig::links`] of a later session, it calls that phone without a code. Delete it on
//! [`Progress::LinkGone`]; [`Session::calls`] tells which one is meant. A link lets its holder ring the phone: protect
//! it where it is stored.
#![forbid(unsafe_code)]

mod channel;
mod driver;
mod error;
mod progress;
mod session;
mod status;
#[cfg(feature = "webauthn")]
pub mod webauthn;

pub use hybridge_ble as ble;
pub use hybridge_proto as proto;
pub use hybridge_proto::{
    client::{AttemptError, CallId, ClientError, ClientTiming, FoundBy, Link, RequestError},
    json::{DigitalError, DigitalRequest, DigitalResponse, RequestType},
    message::Features,
    packets::Framing,
    qr::{Hint, QrUri},
};
pub use hybridge_tunnel as tunnel;
pub use passkey_types;

pub use self::{
    channel::{CtapChannel, Reply},
    error::{Error, ReplyProblem},
    progress::Progress,
    session::{Session, SessionConfig},
    status::Status,
};
