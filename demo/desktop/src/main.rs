//! The `hybridge-desktop` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use hybridge_desktop::service::{self, ServiceArgs};

/// Phone sign-in for every program that knows security keys: an icon in the tray, and a window when a program asks
///
/// Without a command, serves the virtual security key in the background until it is ended.
#[derive(Parser)]
#[command(name = "hybridge-desktop", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

fn main() -> ExitCode {
    let Args { service } = Args::parse();
    service::run(service)
}
