//! The sockets that the service listens on: those that the service manager passes, or those of the settings.

use std::{
    io,
    net::{self, SocketAddr},
};

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpSocket};

use super::error::Error;

/// How many connections may wait to be accepted. After a restart all phones and clients come at once, and those that find
/// no place wait seconds until they try again. The system may allow fewer.
const BACKLOG: u32 = 4096;

/// The listeners that the service manager passed, if it passed any.
///
/// Changes the environment, so it is to be called while the process has one thread.
pub(crate) fn inherited() -> Result<Vec<net::TcpListener>, Error> {
    let mut passed = ListenFd::from_env();
    let count = passed.len();
    let take = |index| passed.take_tcp_listener(index).map_err(Error::Inherited).transpose();
    (0..count).filter_map(take).collect()
}

/// Listens on every address.
///
/// To be called within a runtime.
pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Error> {
    addresses
        .iter()
        .map(|address| bind_one(*address).map_err(|error| Error::Listen(*address, error)))
        .collect()
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of before a restart would keep the port for a minute. Elsewhere the option means something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Makes a listener that was passed one of the current runtime.
pub(crate) fn into_tokio(listener: net::TcpListener) -> Result<TcpListener, Error> {
    listener.set_nonblocking(true).map_err(Error::Start)?;
    TcpListener::from_std(listener).map_err(Error::Start)
}
