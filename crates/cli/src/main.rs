//! The `hybridge` program: signs in with passkeys on a phone, is a security key for other programs, says what stops that, and
//! looks at QR codes and tunnel service names of the FIDO hybrid transport.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

mod args;
mod ceremony;
mod doctor;
mod domain;
mod error;
mod inspect;
mod key;
mod manual;

use args::{Args, CompletionsArgs, DomainArgs, InspectArgs, ManArgs, Verb};
use error::Error;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return args::explain(&error),
    };
    let args = match args.verb {
        Verb::Get(args) => return ceremony::get(args.ceremony),
        Verb::Create(args) => return ceremony::create(args.ceremony),
        Verb::Key(args) => return key::run(&args),
        Verb::Doctor(args) => return doctor::run(&args),
        Verb::Inspect(args) => Look::Inspect(args),
        Verb::Domain(args) => Look::Domain(args),
        Verb::Completions(args) => Look::Completions(args),
        Verb::Man(args) => Look::Man(args),
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

/// The verbs that need nobody but this computer.
enum Look {
    Inspect(InspectArgs),
    Domain(DomainArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

fn run(look: Look) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match look {
        Look::Inspect(args) => inspect::run(args, &mut stdout)?,
        Look::Domain(args) => domain::run(args, &mut stdout)?,
        Look::Completions(args) => manual::completions(&args, &mut stdout)?,
        Look::Man(args) => manual::man(&args, &mut stdout)?,
    }
    stdout.flush().map_err(Error::Write)
}
