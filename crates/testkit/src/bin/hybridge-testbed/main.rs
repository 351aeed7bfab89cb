//! A place to test phone sign-in in, as one program.
#![forbid(unsafe_code)]

mod bluez;
mod command;
mod run;
mod until;

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// A place to test phone sign-in in: no radio, no internet, and a phone that does what it is told.
///
/// Starts a BlueZ without a radio, a tunnel service and a phone. With a COMMAND it runs that in their midst and ends
/// with its exit code; without, it prints how to get there and runs until SIGINT, SIGTERM or the end of the pipe at
/// its standard input.
///
/// Exit codes: 0, it ended as it was told to; 1, it could not start; 2, the arguments are wrong; otherwise the
/// COMMAND's, or 128 and its signal's number.
#[derive(Parser)]
#[command(name = "hybridge-testbed", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    run: run::Args,
}

#[derive(Subcommand)]
enum Part {
    /// Only the BlueZ, on a D-Bus of its own; prints its address.
    Bluez(bluez::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let outcome = match cli.part {
        Some(Part::Bluez(args)) => bluez::run(args).await,
        None => run::run(cli.run).await,
    };
    outcome.unwrap_or_else(|error| {
        // Where standard error is closed, the exit code has to do.
        let _ = until::explain(error.as_ref());
        ExitCode::FAILURE
    })
}
