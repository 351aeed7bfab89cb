//! The `hybridge` program: looks at QR codes and tunnel service names of the FIDO hybrid transport.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

mod args;
mod domain;
mod error;
mod inspect;

use args::{Args, Verb};
use error::Error;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return args::explain(&error),
    };
    match run(args) {
        // Whoever reads our output has read enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr().lock(), "hybridge: {}", error.in_one_line());
            error.exit_code()
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn run(args: Args) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match args.verb {
        Verb::Inspect(args) => inspect::run(args, &mut stdout)?,
        Verb::Domain(args) => domain::run(args, &mut stdout)?,
    }
    stdout.flush().map_err(Error::Write)
}
