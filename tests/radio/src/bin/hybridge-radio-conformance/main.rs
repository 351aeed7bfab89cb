//! Checks the radios of `hybridge-ble` over a real or a fake BlueZ, and prints a table.
//!
//! `system` and `l2cap` work on two adapters of the system, which have to be in range of each other. `fake` brings
//! its own BlueZ without a radio, on a bus of its own, and checks also what happens when the adapter or BlueZ goes
//! away. A case that did not run is a failure.
//!
//! Not a test of `cargo test`, as that must not need a D-Bus: `.ci/radio` and `.ci/vm` run it.
#![forbid(unsafe_code)]

mod fake;
mod faults;
mod host;
mod orders;
mod puppet;

use std::panic;
use std::process::{self, ExitCode};

use clap::{Args, Parser, Subcommand};

use hybridge_radio_conformance::table::{Failure, Table, tell};
use hybridge_radio_conformance::{conformance, l2cap};

/// Checks what the radios promise.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The conformance checks, over two adapters of the system
    System(Pair),
    /// Connections between two adapters of the system
    L2cap(Pair),
    /// The conformance checks and every fault, over a BlueZ without a radio; needs the dbus-daemon program
    Fake,
    /// Does what standard input says; for `fake`
    #[command(hide = true)]
    Puppet,
    /// Keeps a BlueZ without a radio; for `fake`
    #[command(hide = true)]
    Host,
}

/// Two adapters.
#[derive(Debug, Args)]
struct Pair {
    /// The adapter that listens and connects
    #[arg(long, value_name = "NAME")]
    scanner: String,
    /// The adapter that advertises and is connected to
    #[arg(long, value_name = "NAME")]
    advertiser: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    end_on_panics();
    let result = match Arguments::parse().what {
        What::System(Pair { scanner, advertiser }) => conformance::run(&scanner, &advertiser).await,
        What::L2cap(Pair { scanner, advertiser }) => l2cap::run(&scanner, &advertiser).await,
        What::Fake => fake::run().await,
        What::Host => return host::run().await,
        What::Puppet => return puppet::play().await,
    };
    finish(result)
}

/// Makes a panic of a task in the background the end of the program, as nobody would notice it otherwise.
fn end_on_panics() {
    let tell_about_it = panic::take_hook();
    panic::set_hook(Box::new(move |about| {
        tell_about_it(about);
        process::abort();
    }));
}

fn finish(result: Result<Table, Failure>) -> ExitCode {
    match result.and_then(|table| table.print()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&format!("FAILED: {}", failure.with_causes()));
            ExitCode::FAILURE
        }
    }
}
