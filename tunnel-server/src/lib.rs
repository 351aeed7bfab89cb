//! A tunnel service for the FIDO hybrid transport (CTAP 2.2/2.3 section 11.5): where a phone and a computer that
//! have not met exchange messages which the service can neither read nor forge.
//!
//! 1. The phone opens `/cable/new/<tunnel ID>` and gets a routing ID.
//! 2. The client opens `/cable/connect/<routing ID>/<tunnel ID>`. This works once per tunnel.
//! 3. Binary websocket messages go both ways, unchanged and in order, until one side closes.
//!
//! What a peer is closed with:
//!
//! | code | meaning |
//! |---|---|
//! | 1000 | the other side closed cleanly; any other code that it closed with is passed on too |
//! | 1001 | the other side vanished |
//! | 1002 | broken websocket framing |
//! | 1003 | a text message |
//! | 1008 | the tunnel's time or quota is used up, nothing was said for too long, or the other side broke a rule |
//! | 1009 | a message above the size limit |
//! | 1012 | the service restarts |
//!
//! What a request is refused with, each time with the reason in one sentence:
//!
//! | status | meaning |
//! |---|---|
//! | 400 | not a websocket request with the subprotocol `fido.cable` |
//! | 401 | opening a tunnel takes a token here ([`access`]) |
//! | 403 | the web origin is not let in ([`Config::origins`]) |
//! | 404 | another path; or no such tunnel waits to be joined |
//! | 405 | another method than GET |
//! | 408, 431 | the request took too long, or was too long |
//! | 409 | a tunnel with this ID exists |
//! | 410 | a remembered phone was called; this service remembers none |
//! | 429 | the peer's address has or asks for too much; `Retry-After` says when to come back |
//! | 503 | there is no room for another tunnel, or the service is about to restart |
//!
//! What may be had is said by [`Config`], for the service as a whole and for each [`Source`]. A service that is to be
//! replaced is drained: [`Service::drain`], [`Serving::drained`], [`Serving::stop`].
//!
//! The service is embeddable: [`Service::serve`] takes a listener and [`Service::serve_stream`] any byte stream.
//! It logs with `tracing`, and counts what [`Service::metrics`] shows. Identifiers and payloads are never in either, and
//! addresses only in the log, where [`Config::log_addresses`] asks for them.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let service = hybridge_relay::Service::new(hybridge_relay::Config::default())?;
//! let serving = service.serve(listener)?;
//! tokio::signal::ctrl_c().await?;
//! service.drain();
//! serving.drained(std::time::Duration::from_secs(60)).await;
//! serving.stop().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod access;
mod config;
mod forwarded;
mod front;
pub mod http;
mod limits;
mod listener;
mod metrics;
pub mod node;
pub mod proxy_protocol;
pub mod rendezvous;
mod service;
mod tunnel;
pub mod websocket;

pub use config::Config;
pub use forwarded::{ForwardedHeader, Garbled};
#[cfg(feature = "acme")]
pub use front::AcmeConfig;
pub use front::{Front, TlsConfig, TlsError, Validity};
pub use limits::{Rate, Source};
pub use listener::Serving;
pub use metrics::METRICS_TYPE;
pub use service::Service;
