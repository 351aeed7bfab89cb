//! A place to test phone sign-in in, as one program.
#![forbid(unsafe_code)]

mod bluez;
mod until;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A place to test phone sign-in in: no radio, no internet, and a phone that does what it is told.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Only a BlueZ without a radio, on a D-Bus of its own; prints its address, and runs until it is told to stop.
    Bluez(bluez::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Bluez(args) => bluez::run(args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, the exit code has to do.
            let _ = until::explain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}
