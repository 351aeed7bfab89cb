//! A phone that breaks one rule.
//!
//! A suite that lets a phone sign in says little if a laptop would take anything. [`MutantPhone`] is a whole phone, from
//! the code to the signature, that keeps every rule but one, the [`Rule`] of the test. A laptop has to refuse it, for
//! the reason that belongs to that rule; and it has to take the phone that keeps all rules, so that the refusal is known
//! to come from the broken one.
//!
//! It serves tests only: it agrees to every request, verifies nothing of what a laptop sends beyond the seal of its
//! frames, and wipes no keys.
//!
//! ```
//! use std::sync::Arc;
//!
//! use hybridge_ble::sim::Air;
//! use hybridge_client::{
//!     Error, Hint, Progress, Session, SessionConfig, proto::domain::DomainId, tunnel::MemoryService,
//! };
//! use hybridge_testkit::mutant::{MutantPasskeys, MutantPhone, Rule};
//! use tokio::sync::mpsc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (air, service) = (Air::new(1), MemoryService::new());
//! let (radio, dialer) = (Arc::new(air.device("laptop")), Arc::new(service.clone()));
//! let session = Session::start(SessionConfig::new(Hint::GetAssertion), radio, dialer)?;
//! let (show, mut screen) = mpsc::unbounded_channel();
//! let laptop = session.connect(move |progress| {
//!     if let Progress::ShowQr { code, .. } = progress {
//!         let _ = show.send(code.expose_text().to_owned());
//!     }
//! });
//!
//! let mut phone = MutantPhone::new(DomainId::new(266), Arc::new(air.device("phone")), Arc::new(service));
//! phone.rule = Some(Rule::AssociatedData);
//! let mut passkeys = MutantPasskeys::new();
//! let phone = async { phone.answer(&screen.recv().await.unwrap_or_default(), &mut passkeys).await };
//!
//! let (laptop, _) = tokio::join!(laptop, phone);
//! assert!(matches!(laptop, Err(Error::Handshake(_) | Error::Protocol(_))));
//! # Ok(())
//! # }
//! ```

mod adverts;
mod cbor;
mod frames;
mod messages;
mod noise;
mod passkeys;
mod phone;
mod rule;

pub use self::{
    passkeys::MutantPasskeys,
    phone::{MutantError, MutantPhone, Outcome, Stage},
    rule::{CborFlaw, Rule},
};
