//! Our phone and our laptop against implementations of the hybrid transport by others, and their lower layers against
//! ours. Tells what became of each case in a table and ends with an error status if any does not hold.
//!
//! `.ci/peers` runs it, in a network namespace of its own in which the tunnel services' names lead here.
#![forbid(unsafe_code)]

mod cases;
mod layers;
mod orders;
mod peer;
mod phone;
mod process;
mod table;
mod wake;
mod web;
mod website;
mod world;

use std::{io::stdout, process::ExitCode};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::world::World;

const USAGE: &str = "usage: hybridge-peers run [WORD...] | hosts | peer NAME
  run    runs all cases, or those whose titles have all the words: then it ends with an error status, as cases were skipped
  hosts  prints the /etc/hosts that `run` needs
  peer   is the named peer, told what to do on standard input";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quiet = EnvFilter::builder().with_default_directive(LevelFilter::OFF.into());
    tracing_subscriber::fmt().with_env_filter(quiet.from_env_lossy()).with_writer(std::io::stderr).init();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["hosts"] => print!("{}", web::hosts()),
        ["peer", name] => peer::run(name).await,
        ["run", ..] => return run(arguments.get(1..).unwrap_or_default()).await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Runs the cases with these words.
async fn run(words: &[String]) -> ExitCode {
    let world = World::start().await;
    table::quiet_panics();
    if table::run(cases::all(), words, world, &mut stdout()).await {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
