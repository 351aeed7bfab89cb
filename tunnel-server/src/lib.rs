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
//! The service is embeddable: [`Service::serve`] takes a listener and [`Service::serve_stream`] any byte stream.
//! It logs with `tracing`, and neither identifiers nor payloads nor addresses are ever in what it logs.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let serving = hybridge_relay::Service::new(hybridge_relay::Config::default())?.serve(listener)?;
//! tokio::signal::ctrl_c().await?;
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
pub use forwarded::ForwardedHeader;
pub use front::{Front, TlsConfig, TlsError, Validity};
pub use limits::{Rate, Source};
pub use listener::Serving;
pub use metrics::METRICS_TYPE;
pub use service::Service;
