//! `hybridge-demo`: shows a registration and a sign-in over the whole hybrid transport, in one process.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    process::ExitCode,
};

mod args;
mod error;
mod evidence;
mod record;
mod report;
mod run;
mod sentences;
mod style;
mod summary;
mod teller;
mod timeline;

use args::Args;
use error::Failure;

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(usage) => return args::explain(&usage),
    };
    match run::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has read enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell if this fails too.
            let _ = writeln!(io::stderr().lock(), "hybridge-demo: {}", failure.in_one_line());
            failure.exit_code()
        }
    }
}
