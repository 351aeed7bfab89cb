//! What goes wrong, in one line.

use std::{error::Error as _, io, net::IpAddr, time::Duration};

use thiserror::Error;

/// Why a run came to no result.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{0} is not a loopback address; load is sent within this machine only")]
    NotLoopback(IpAddr),
    #[error("the URL is not of the form ws://127.0.0.1:8080, or wss:// with --ca")]
    Url,
    #[error("the host of the URL has no address")]
    Resolve(#[source] io::Error),
    #[error(
        "{needed} file descriptors are needed and {limit} are allowed; raise the limit (ulimit -n) or ask for less"
    )]
    Descriptors { needed: u64, limit: u64 },
    #[error("TLS failed; check the certificates")]
    Tls(#[source] io::Error),
    #[error("the runtime did not start")]
    Runtime(#[source] io::Error),
    #[error("the server could not be started; check the path")]
    Start(#[source] io::Error),
    #[error("the server that was started ended without saying where it listens")]
    NotListening,
    #[error("the floor does not listen")]
    Listen(#[source] io::Error),
    #[error("no connection to the service; check that it is running")]
    Connect(#[source] io::Error),
    #[error("the service answered with status {0} instead of a websocket; are its limits lifted?")]
    Refused(u16),
    #[error("the service's answer to a websocket request is not one of a tunnel service")]
    Answer,
    #[error("a connection broke")]
    Connection(#[source] io::Error),
    #[error("the service ended a connection without a close frame")]
    Ended,
    #[error("the service closed a tunnel with code {0}")]
    Closed(u16),
    #[error("the service broke the rules of websockets")]
    Framing,
    #[error("a message arrived that was not sent so")]
    Corrupted,
    #[error("process {pid} could not be measured; is it running, and yours?")]
    Measure { pid: u32, source: io::Error },
    #[error("not done after {} seconds; ask for less or raise --time-limit", .0.as_secs())]
    TimeUp(Duration),
    #[error("{name} is {value:.4}, which is more than {most}")]
    AboveBound { name: String, value: f64, most: f64 },
    #[error("there is no figure {0} to hold against its bound; the names are those in the table")]
    NoFigure(String),
    #[error("the result could not be written")]
    Write(#[source] io::Error),
}

impl Error {
    /// The message, with the system's reason behind it.
    pub(crate) fn in_one_line(&self) -> String {
        match self.source() {
            Some(reason) => format!("{self} ({reason})"),
            None => self.to_string(),
        }
    }
}
