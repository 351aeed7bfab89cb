//! The FIDO hybrid transport (CTAP 2.2/2.3 section 11.5, also known as caBLE v2 and, in its newest draft, as the
//! Proximity Exchange Protocol) without I/O: bytes in, bytes and events out.
//!
//! A computer, the *client*, shows a QR code. A phone, the *authenticator*, scans it, proves to be near by an encrypted
//! Bluetooth advert, and both meet at a *tunnel service*. A Noise handshake binds code, advert and tunnel together; after
//! it, CTAP messages cross the tunnel.
//!
//! This crate holds everything that is the protocol, for both roles: formats, keys, the handshake, and two state
//! machines, [`client::ClientMachine`] and [`authenticator::AuthenticatorMachine`]. It has no sockets, no radio, no
//! runtime, reads no clock and draws randomness only from generators it is given. To sign in from a program use
//! `hybridge-client`, to be a phone use `hybridge-authenticator`; both are drivers around this crate. Use this crate to
//! write a driver of your own, to test one, or to look at single messages.
//!
//! # From top to bottom
//!
//! | module | what it is |
//! |---|---|
//! | [`client`], [`authenticator`] | the two sides as state machines, with their calling contract |
//! | [`qr`], [`digits`] | the code: text, digits, CBOR |
//! | [`advert`] | the encrypted advert and its suffix |
//! | [`domain`], [`service`], [`ids`] | tunnel services: hosts, addresses, headers, identifiers |
//! | [`keys`] | every key and how it follows from another |
//! | [`handshake`] | Noise KNpsk0 and NKpsk0 |
//! | [`frame`] | padding, counters, AES-256-GCM |
//! | [`packets`] | where messages end on a channel of packets |
//! | [`message`], [`link`], [`json`] | what frames carry |
//! | [`cbor`] | CTAP2 canonical CBOR |
//!
//! # A ceremony by hand
//!
//! Both machines in one process, with a loop in the place of radio and tunnel:
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use hybridge_proto::{
//!     authenticator::{self, AuthenticatorConfig, AuthenticatorMachine},
//!     client::{self, ClientConfig, ClientMachine},
//!     domain::DomainId,
//!     ids::RoutingId,
//!     qr::{Hint, QrCode},
//! };
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let rng = |seed| Box::new(ChaCha20Rng::seed_from_u64(seed));
//! let now = Instant::now();
//! let mut laptop = ClientMachine::with_code(ClientConfig::new(Hint::GetAssertion), rng(1), now);
//! let Some(client::Event::ShowQr { uri, .. }) = laptop.poll_event() else { unreachable!() };
//!
//! let code = QrCode::parse(uri.expose_text())?;
//! let config = AuthenticatorConfig::new(DomainId::new(266), [0xa0]);
//! let mut phone = AuthenticatorMachine::answer_code(config, &code, rng(2), now)?;
//!
//! let (mut at_laptop, mut at_phone, mut answer) = (None, None, None);
//! while answer.is_none() {
//!     while let Some(action) = phone.poll_action() {
//!         match action {
//!             authenticator::Action::Dial { channel, .. } => {
//!                 at_phone = Some(channel);
//!                 phone.handle_tunnel_opened(now, channel, Some(RoutingId::from_bytes([1, 2, 3])));
//!             }
//!             authenticator::Action::Advertise { service_data, .. } => {
//!                 laptop.handle_service_data(now, &service_data, Default::default());
//!             }
//!             authenticator::Action::Send { message, .. } => laptop.handle_message(now, at_laptop.unwrap(), message),
//!             _ => {}
//!         }
//!     }
//!     while let Some(action) = laptop.poll_action() {
//!         match action {
//!             client::Action::Dial { channel, .. } => {
//!                 at_laptop = Some(channel);
//!                 laptop.handle_channel_opened(now, channel, false);
//!             }
//!             client::Action::Send { message, .. } => phone.handle_message(now, at_phone.unwrap(), message),
//!             _ => {}
//!         }
//!     }
//!     while let Some(event) = laptop.poll_event() {
//!         match event {
//!             client::Event::Connected { .. } => laptop.send_ctap(now, &[0x04], Duration::from_secs(60))?,
//!             client::Event::CtapReply(reply) => answer = Some(reply),
//!             _ => {}
//!         }
//!     }
//!     while let Some(event) = phone.poll_event() {
//!         if let authenticator::Event::CtapRequest(request) = event {
//!             assert_eq!(request, [0x04]);
//!             phone.reply(now, &[0x00, 0xa0])?;
//!         }
//!     }
//! }
//! assert_eq!(answer, Some(vec![0x00, 0xa0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod inbox;
mod secret;
mod time;

pub mod advert;
pub mod authenticator;
pub mod cbor;
pub mod channel;
pub mod client;
pub mod digits;
pub mod domain;
pub mod frame;
pub mod handshake;
pub mod ids;
pub mod json;
pub mod keys;
pub mod link;
pub mod message;
pub mod packets;
pub mod qr;
pub mod service;
