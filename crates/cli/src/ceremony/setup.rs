//! What a ceremony needs: the options, a radio, a way to tunnel services.

use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    path::Path,
    sync::Arc,
};

use hybridge_ble::{
    DynScanner, RadioError, bluez::SystemRadio, btleplug::SystemScanner, l2cap::DynL2capConnector,
};
use hybridge_tunnel::WebSocketDialer;
use tokio::net::lookup_host;

use super::error::Error;
use crate::args::HostAndPort;

/// The most that is read from standard input, in bytes.
const MAX_OPTIONS: u64 = 1024 * 1024;

/// All of standard input.
pub(crate) fn read_options() -> Result<Vec<u8>, Error> {
    let stdin = io::stdin().lock();
    if stdin.is_terminal() {
        let hint = "Type the options in JSON and end with Ctrl-D, or redirect standard input from a file.";
        writeln!(io::stderr().lock(), "{hint}").map_err(Error::WriteProgress)?;
    }
    let mut json = Vec::new();
    let read = stdin.take(MAX_OPTIONS + 1).read_to_end(&mut json).map_err(Error::ReadInput)?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_OPTIONS) {
        return Err(Error::TooLong { limit: MAX_OPTIONS });
    }
    Ok(json)
}

/// What opens tunnels, before the address is looked up.
pub(crate) fn dialer(certificates: Option<&Path>) -> Result<WebSocketDialer, Error> {
    let dialer = WebSocketDialer::new();
    let Some(file) = certificates else { return Ok(dialer) };
    let pem = fs::read(file).map_err(Error::ReadCertificate)?;
    Ok(dialer.with_extra_roots_pem(&pem)?)
}

/// The same, leading to this address whatever the host.
pub(crate) async fn rerouted(
    dialer: WebSocketDialer,
    address: Option<&HostAndPort>,
) -> Result<WebSocketDialer, Error> {
    let Some(HostAndPort { host, port }) = address else { return Ok(dialer) };
    let mut found = lookup_host((host.as_str(), *port)).await.map_err(Error::Address)?;
    let first = found.next().ok_or_else(|| Error::Address(io::ErrorKind::NotFound.into()))?;
    Ok(dialer.with_address(first))
}

/// What is done over Bluetooth.
pub(crate) struct Radios {
    /// Hears phones.
    pub(crate) scanner: Arc<dyn DynScanner>,
    /// Connects to them, if that is to be offered.
    pub(crate) connector: Option<Arc<dyn DynL2capConnector>>,
}

/// The adapter of this name, or the first that is switched on; `l2cap` offers to connect with it too.
pub(crate) async fn radios(adapter: Option<&str>, l2cap: bool) -> Result<Radios, RadioError> {
    let scanner = SystemScanner::open(adapter).await?;
    let connector: Option<Arc<dyn DynL2capConnector>> = match l2cap {
        true => Some(Arc::new(SystemRadio::open(Some(scanner.adapter())).await?)),
        false => None,
    };
    Ok(Radios { scanner: Arc::new(scanner), connector })
}
