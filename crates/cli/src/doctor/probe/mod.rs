//! Finding facts out, without changing anything: no helper is started, no device made, no tunnel opened.

use std::{env, fs, path::Path, time::SystemTime};

use hybridge_proto::domain::DomainId;
use hybridge_tunnel::WebSocketDialer;
use tokio::task::JoinHandle;

use super::facts::{Clock, System, Tunnel};
use crate::args::HostAndPort;

mod bluetooth;
mod desktop;
mod files;
mod key;
mod network;

use files::Root;

/// What to look at.
pub(super) struct Plan<'a> {
    /// Where the helper of the virtual security key listens.
    pub(super) socket: &'a Path,
    /// The tunnel services, none where the network is left out.
    pub(super) services: Vec<(DomainId, String)>,
    pub(super) dialer: WebSocketDialer,
    /// Where tunnel services are, if not where their names say.
    pub(super) address: Option<HostAndPort>,
}

/// Looks at everything at the same time. Takes 15 seconds at most.
pub(super) async fn system(plan: Plan<'_>) -> System {
    let Plan { socket, services, dialer, address } = plan;
    let look = |(id, host)| tokio::spawn(network::tunnel(id, host, dialer.clone(), address.clone()));
    let looks: Vec<JoinHandle<Tunnel>> = services.into_iter().map(look).collect();
    let root = Root::new("/");
    let bluetooth = bluetooth::facts(&root).await;
    let mut tunnels = Vec::new();
    for look in looks {
        // It ends early only if it panics.
        tunnels.extend(look.await);
    }
    System {
        bluetooth,
        key: key::facts(&root, socket),
        tunnels,
        clock: Clock { now: SystemTime::now(), program: program_file_time() },
        desktop: desktop::facts(&root, &|name| env::var_os(name)),
    }
}

fn program_file_time() -> Option<SystemTime> {
    fs::metadata(env::current_exe().ok()?).ok()?.modified().ok()
}
