//! The command line of `hybridge doctor`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use hybridge_security_key::helper::SOCKET;

use super::HostAndPort;

const AFTER_HELP: &str = "\
Looks at Bluetooth, the virtual security key, tunnel services, the clock and the desktop, and says in one line each how it
is and how to mend it: ok; warn, which does not stop sign-in; FAIL, which does; ? for what could not be found out. Without
its helper installed, the virtual security key stops nothing. Changes nothing but that the system starts BlueZ if it is not
running, as a sign-in would, and asks tunnel services for a tunnel that nobody has opened. Takes 15 seconds at most.

With --json, one object:
  version   of this program
  verdict   well, stopped (something stops sign-in) or unknown (something that sign-in needs could not be checked)
  checks    a list of objects, in the order in which to mend things:
    check      bluetooth-service, bluetooth-permission, bluetooth-version, bluetooth-adapter, bluetooth-switches,
               bluetooth-power, bluetooth-central, bluetooth-advertising, uhid, key-helper, key-session, udev-rule,
               key-device, tunnel-service (once for each), clock, desktop-program, session-bus, autostart, display;
               those that have no sense on this computer are left out
    status     ok, warn, fail or unknown
    statement  how it is, in words for people
    fix        what to do about it, or null
    command    a command that does it, or null
There may be more later: pass over checks and members that are not known.

Exit codes:
  0  all that sign-in needs is well
  1  something stops sign-in
  2  wrong usage
  3  something that sign-in needs could not be checked, or something could not be read or written

Examples:
  hybridge doctor
  hybridge doctor --json --offline
  hybridge doctor --tunnel-service cable.auth.com";

/// Find out why signing in with a phone does not work here, and what to do about it
#[derive(ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Leave the network out
    #[arg(long, conflicts_with = "tunnel_service")]
    pub(crate) offline: bool,
    /// Tunnel service to look at, by its number or host name; can be given several times [default: 0 and 1, those of
    /// Android and Apple phones]
    #[arg(long, value_name = "ID|HOST")]
    pub(crate) tunnel_service: Vec<String>,
    /// Where hybridge-key-helper listens
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    pub(crate) socket: PathBuf,
    /// Dangerous, for tests: look for tunnel services here
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) dangerous_relay_addr: Option<HostAndPort>,
    /// Dangerous, for tests: also trust the certificates in this PEM file
    #[arg(long, value_name = "PEM")]
    pub(crate) dangerous_relay_ca: Option<PathBuf>,
}
