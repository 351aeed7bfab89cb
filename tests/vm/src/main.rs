//! What runs in the virtual machine: real programs on a real BlueZ with two virtual controllers, and a verifier that
//! knows nothing of this project.
//!
//! The machine has no network but its loopback. It is the first program after the kernel modules are loaded, starts
//! everything that it needs and prints a table of cases. A case that did not run is a failure. `.ci/vm` makes the
//! machine and boots it.
#![forbid(unsafe_code)]

mod ceremony;
mod disturbances;
mod faults;
mod firefox;
mod helper;
mod key;
mod libfido2;
mod programs;
mod seat;
mod security_key;
mod service;
mod ssh;
mod system;
mod tool;
mod website;

use std::process::ExitCode;

use hybridge_radio_conformance::table::{Failure, Table, tell};
use hybridge_radio_conformance::{conformance, l2cap};

use crate::ceremony::Way;
use crate::service::TunnelService;
use crate::system::System;
use crate::website::Website;

/// The phone's adapter and the laptop's.
const PHONE: &str = "hci0";
const LAPTOP: &str = "hci1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Each machine has an `init` of its own, which says what to run.
    let ran = match std::env::args().nth(1).as_deref() {
        Some("firefox") => firefox::run().await,
        _ => run().await,
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&format!("FAILED: {}", failure.with_causes()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let mut system = System::start().await?;
    let radios = conformance::run(LAPTOP, PHONE).await?;
    let connections = l2cap::run(LAPTOP, PHONE).await?;
    let [key, disturbed, helper, programs] = programs(&mut system).await?;
    // All of them, even if the first has failures.
    let tables = [radios, connections, key, disturbed, helper, programs];
    let results = tables.map(|table| table.print());
    results.into_iter().collect()
}

/// Starts or stops the second processor, if the machine has one. Radios are looked at with one: the virtual controllers tell an
/// advert once when a scan starts, and with another processor they may do so before BlueZ listens.
fn second_processor(on: &str) {
    let _ = std::fs::write("/sys/devices/system/cpu/cpu1/online", on);
}

/// The programs as their users run them.
async fn programs(system: &mut System) -> Result<[Table; 4], Failure> {
    let mut website = Website::new()?;
    let service = TunnelService::start().await?;
    let [ada, grace, hedy] = website::USERS;
    second_processor("1");
    let [key, disturbed, helper] = security_key::run(&mut website, hedy).await?;
    second_processor("0");
    let tunnel = Way::Tunnel;
    let mut table = Table::new("programs", 10);
    table.case("create, through a tunnel", ceremony::create(&mut website, ada, &tunnel)).await;
    table.case("get, through a tunnel", ceremony::get(&mut website, &tunnel)).await;
    table.case("bluetoothd killed while the laptop waits", faults::killed(system, &website, &tunnel)).await;
    table.case("the next get, on a new bluetoothd", ceremony::get(&mut website, &tunnel)).await;
    let restarted = faults::restarted(system, &mut website, &tunnel);
    table.case("bluetoothd restarted while the laptop waits", restarted).await;
    table.case("phone killed while it advertises", faults::phone_killed(&website, &tunnel)).await;
    let again = faults::restarted_advertising(system, &website, &tunnel);
    table.case("bluetoothd restarted while the phone advertises", again).await;
    drop(service);
    table
        .case("create over L2CAP, no tunnel service", ceremony::create(&mut website, grace, &Way::L2cap))
        .await;
    table.case("get over L2CAP, no tunnel service", ceremony::get(&mut website, &Way::L2cap)).await;
    table.case("no tunnel service and no L2CAP", faults::no_way(&website, &tunnel)).await;
    Ok([key, disturbed, helper, table])
}
