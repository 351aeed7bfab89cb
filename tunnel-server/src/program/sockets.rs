//! The sockets that the service listens on: those that the service manager passes, or those of the settings.

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use super::error::Error;

/// The listeners that the service manager passed, if it passed any.
///
/// Changes the environment, so it is to be called while the process has one thread.
pub(crate) fn inherited() -> Result<Vec<TcpListener>, Error> {
    let mut passed = ListenFd::from_env();
    let count = passed.len();
    let take = |index| passed.take_tcp_listener(index).map_err(Error::Inherited).transpose();
    (0..count).filter_map(take).collect()
}

/// Listens on every address.
pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Error> {
    addresses
        .iter()
        .map(|address| TcpListener::bind(address).map_err(|error| Error::Listen(*address, error)))
        .collect()
}

/// Makes a listener one of the current runtime.
pub(crate) fn into_tokio(listener: TcpListener) -> Result<tokio::net::TcpListener, Error> {
    listener.set_nonblocking(true).map_err(Error::Start)?;
    tokio::net::TcpListener::from_std(listener).map_err(Error::Start)
}
