//! Data channels of the FIDO hybrid transport (CTAP 2.2/2.3 section 11.5): what carries messages between a phone
//! and a computer.
//!
//! - [`DataChannel`] moves messages, whatever carries them; [`DataChannel::pair`] makes one within the process, and
//!   [`DataChannel::l2cap`] makes one over a Bluetooth connection.
//! - [`Dialer`] opens channels to tunnel services. [`WebSocketDialer`] does so over the network, and
//!   [`MemoryService`] is a dialer and tunnel service within the process, for tests.
//! - [`Connect`] is the seam below the websocket: another address, a simulated network, an in-memory stream.
//!
//! A tunnel service is not trusted: channels carry what the protocol above has encrypted, and TLS only hides it
//! from the network. Nothing here logs identifiers or payloads. The websocket library logs frames, which hold
//! ciphertext only, through the `log` crate at level TRACE; a program that installs a `log` bridge may want to
//! switch the target `tungstenite` off.
#![forbid(unsafe_code)]

mod channel;
mod connect;
mod dial;
mod error;
mod look;
mod memory;
mod pool;
mod redirect;
mod request;
pub mod response;
mod tls;
mod websocket;

pub use channel::{ChannelReceiver, ChannelSender, CloseCode, DataChannel};
pub use connect::{
    BoxStream, ByteStream, Connect, ConnectError, ConnectFn, ConnectFuture, DynConnect, Rerouted, TcpConnect,
    connect_fn,
};
pub use dial::{DialFuture, Dialed, Dialer, DynDialer};
pub use error::{ChannelError, DialError, NotLoopback, NotTunnelService, RedirectRefused, RootError};
pub use look::{CertificateFault, Look};
pub use memory::{MemoryService, WakeUp};
pub use pool::{ChannelPool, Report};
pub use rustls::pki_types::CertificateDer;
pub use websocket::WebSocketDialer;
