//! What can go wrong with a data channel, and before there is one.

use std::{io, time::Duration};

use hybridge_ble::RadioError;
use hybridge_proto::service::MAX_MESSAGE;
use thiserror::Error;

use crate::channel::CloseCode;

/// Why a message was not sent or received. The channel is of no further use, except after
/// [`ChannelError::MessageTooLarge`] from sending.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The peer, or the tunnel service between, closed the channel with a close frame.
    #[error("the connection was closed with code {code}; start again if that was not expected")]
    Closed {
        /// The code in the close frame.
        code: CloseCode,
    },
    /// The connection ended without a close frame.
    #[error("the connection broke; check the network and start again")]
    Vanished,
    /// The peer sent text, where the protocol has binary messages only.
    #[error("the peer sent a text message, which the protocol does not have; it may be another program")]
    TextMessage,
    /// A message is above the size limit of 1 MiB. An outgoing one was not sent.
    #[error("a message is above the limit of {limit} bytes; send less at once", limit = MAX_MESSAGE)]
    MessageTooLarge,
    /// The peer broke the rules of the websocket protocol.
    #[error("the peer broke the websocket protocol; it may be another program, or something is in between")]
    Malformed,
    /// The operating system reported another fault of the connection.
    #[error("the connection failed; check the network and start again")]
    Io(#[source] io::Error),
    /// The radio of an L2CAP connection failed.
    #[error("the Bluetooth connection failed; switch Bluetooth on and start again")]
    Radio(#[source] RadioError),
}

/// Why a tunnel service, or a phone over Bluetooth, could not be dialed.
///
/// No variant holds an identifier of the request, in its text or in `Debug`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DialError {
    /// The request cannot be written: a host, header name or header value is malformed. The caller's fault.
    #[error("the request to the tunnel service is malformed; correct the host or the extra headers")]
    InvalidRequest,
    /// The host's name was not found.
    #[error("the name of the tunnel service was not found; check the network connection")]
    Resolve(#[source] io::Error),
    /// No TCP connection came about.
    #[error("the tunnel service does not answer; check the network connection and firewall")]
    Connect(#[source] io::Error),
    /// The TLS handshake failed, or the certificate is not trusted for the host.
    #[error("no secure connection to the tunnel service; check the clock and who intercepts TLS here")]
    Tls(#[source] io::Error),
    /// The connection broke before the answer was complete.
    #[error("the connection to the tunnel service broke before it answered; try again")]
    Broken(#[source] io::Error),
    /// The service answered with an error status.
    #[error("the tunnel service refused with status {status}: {}", advice(*.status))]
    Refused {
        /// The HTTP status code, 400 to 599.
        status: u16,
        /// The first line of the answer's body: at most 120 characters, without control characters and without
        /// anything as long as an identifier. Chosen by the service; show it as its words, not as your own.
        text: String,
    },
    /// The service answered a call to a remembered phone with 410: its link is dead for ever.
    #[error("the phone has forgotten this link; remove it here too, and scan a QR code instead")]
    Gone,
    /// Whoever answers there is not a tunnel service.
    #[error("the answer is not that of a tunnel service: {0}")]
    NotTunnelService(#[from] NotTunnelService),
    /// The service sent the request elsewhere, in a way that is not followed.
    #[error("the tunnel service redirects in a way that is not followed: {0}")]
    RedirectRefused(#[from] RedirectRefused),
    /// The phone was not reached over Bluetooth.
    #[error("the phone cannot be connected to over Bluetooth; keep it near and try again")]
    L2cap(#[source] RadioError),
    /// It took too long altogether.
    #[error("the tunnel service did not answer within {after:?}; check the network connection and try again")]
    TimedOut {
        /// The time that was allowed.
        after: Duration,
    },
}

/// What to try after a refusal.
fn advice(status: u16) -> &'static str {
    match status {
        404 => "the other side is gone or not there yet; start again with a fresh code",
        409 => "the tunnel exists already; start again with a fresh code",
        400..=499 => "it does not accept this program's request; look for an update",
        _ => "it has a problem of its own; try again later",
    }
}

/// Which rule an answer breaks that is not a tunnel service's (CTAP 2.2 section 11.5.1, RFC 6455 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotTunnelService {
    /// The answer is not HTTP/1.1.
    #[error("it is not HTTP/1.1")]
    Malformed,
    /// The head of the answer is longer than 16 KiB or has too many headers.
    #[error("its head is too large")]
    HeadTooLarge,
    /// A status that is neither 101, a redirect nor an error.
    #[error("status {0} instead of a websocket")]
    Status(u16),
    /// Status 101 without the headers of a websocket upgrade, or to something else.
    #[error("the upgrade is not to a websocket")]
    Upgrade,
    /// The proof that the request was read as a websocket request is missing or wrong.
    #[error("the websocket key is not answered")]
    Accept,
    /// The subprotocol `fido.cable` is not selected, or not alone.
    #[error("the subprotocol fido.cable is not selected")]
    Subprotocol,
    /// A websocket extension is switched on that was not offered.
    #[error("it switches on a websocket extension that was not offered")]
    Extension,
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedirectRefused {
    /// It leads to anything but `wss` or `https`.
    #[error("it leads away from a secure connection")]
    NotSecure,
    /// The location is missing, repeated, not a URL, or holds a user name.
    #[error("its target is malformed")]
    Malformed,
    /// More than five in a row.
    #[error("there are too many in a row")]
    TooMany,
    /// The dialer speaks plaintext to a fixed address and follows none.
    #[error("a plaintext connection follows none")]
    Plaintext,
}

/// An address for plaintext is not a loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("plaintext is allowed to this machine's loopback address only; use TLS for any other")]
pub struct NotLoopback;

/// An extra root certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RootError {
    /// The PEM text is malformed.
    #[error("the certificate file is not well-formed PEM")]
    Pem,
    /// There is no certificate in it.
    #[error("the file holds no certificate; name a PEM file with a BEGIN CERTIFICATE line")]
    Empty,
    /// A certificate cannot serve as a root.
    #[error("a certificate cannot be used as a root of trust")]
    Certificate(#[source] rustls::Error),
}
