//! The phone's side of the FIDO hybrid transport (CTAP 2.2/2.3 section 11.5): answers the CTAP requests of a nearby
//! computer.
//!
//! An [`Authenticator`] has a radio that can advertise and a tunnel service. It answers the text of a scanned QR code,
//! or a call from a computer that remembers it, and hands each request to a [`CtapService`]: the part that knows
//! passkeys and asks the person. [`passkey::PasskeyService`] is one over the `passkey-authenticator` crate; a password
//! manager implements the trait over its own store.
//!
//! The *phone* picks the tunnel service, and computers follow it there: to an assigned one, or to any whose host name
//! is computed from its [`DomainId`].
//!
//! # A phone
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use hybridge_authenticator::{
//!     Authenticator, CtapService, DomainId, Error, Progress, ble::DynAdvertiser, tunnel::WebSocketDialer,
//! };
//!
//! /// `code` is what the camera read.
//! async fn scanned(
//!     code: &str,
//!     radio: Arc<dyn DynAdvertiser>,
//!     passkeys: &mut impl CtapService,
//! ) -> Result<(), Error> {
//!     let service = DomainId::new(266); // cable.wufkweyy3uaxb.com
//!     let mut phone = Authenticator::new(service, radio, Arc::new(WebSocketDialer::new()));
//!     let tell = |progress| match progress {
//!         Progress::Advertising => write("Connecting to the computer …"),
//!         Progress::Replied { status: 0 } => write("Done."),
//!         _ => {}
//!     };
//!     phone.answer_code(code, passkeys, tell).await
//! }
//! # fn write(_: &str) {}
//! ```
//!
//! # The same without a radio and a network
//!
//! The simulated air of [`ble::sim`] and the tunnel service of [`tunnel::MemoryService`] serve tests. This computer has
//! shown a code and gone away:
//!
//! ```
//! use std::sync::Arc;
//!
//! use hybridge_authenticator::{
//!     Authenticator, CtapService, DomainId, Error,
//!     ble::sim::Air,
//!     proto::{keys::{PrivateKey, QrSecret}, qr::QrCode},
//!     tunnel::MemoryService,
//! };
//!
//! struct Passkeys;
//!
//! impl CtapService for Passkeys {
//!     async fn get_info(&mut self) -> Vec<u8> {
//!         vec![0xA0] // An empty map, in canonical CBOR.
//!     }
//!
//!     async fn call(&mut self, request: &[u8]) -> Vec<u8> {
//!         match request {
//!             [0x04, ..] => vec![0x00, 0xA0], // getInfo: success, and the map again.
//!             _ => vec![0x27],                // Everything else: the person declined.
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let code = QrCode::new(*PrivateKey::from_seed(b"computer").public_key(), QrSecret::from_bytes(&[1; 16]));
//! let radio = Arc::new(Air::new(1).device("phone"));
//! let mut phone = Authenticator::new(DomainId::new(266), radio, Arc::new(MemoryService::new()));
//! let outcome = phone.answer_code(code.to_uri().expose_text(), &mut Passkeys, |_| {}).await;
//! assert!(matches!(outcome, Err(Error::NobodyCame(_))));
//! # }
//! ```
//!
//! The documentation of `hybridge-client` has one in which both sides meet.
#![forbid(unsafe_code)]

mod driver;
mod error;
pub mod passkey;
mod progress;
mod service;
mod session;

pub use hybridge_ble as ble;
pub use hybridge_proto as proto;
pub use hybridge_proto::{
    authenticator::{
        AuthenticatorError, AuthenticatorTiming, IncomingCall, LinkOffer, ReplyError, StartError,
    },
    domain::DomainId,
};
pub use hybridge_tunnel as tunnel;

pub use self::{
    error::Error,
    progress::{Operation, Progress},
    service::CtapService,
    session::Authenticator,
};
