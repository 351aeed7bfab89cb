//! The program: settings, signals, the service manager, a second listener, and helpers beside the service.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

mod admin;
mod args;
mod check;
mod domain;
mod error;
mod health;
mod log;
#[cfg_attr(not(unix), path = "program/manager/absent.rs")]
mod manager;
mod memory;
mod plan;
mod proxy_config;
mod serve;
mod settings;
mod signals;
mod sockets;
mod token;

use args::{Arguments, ServeArgs, TokenVerb, Verb};
use error::Error;
use plan::Plan;
use settings::{flags::unknown_variables, print};

/// Does what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let Arguments { verb, serve } = Arguments::parse();
    let done = match verb {
        Some(Verb::Health(args)) => health::run(&args),
        Some(Verb::Domain(args)) => domain::run(&args, &mut io::stdout().lock()),
        Some(Verb::Token(TokenVerb::Mint(args))) => token::run(&args, &mut io::stdout().lock()),
        Some(Verb::ProxyConfig(args)) => proxy_config::run(&args, &mut io::stdout().lock()),
        Some(Verb::Check(args)) => check::run(&args),
        None => run(&serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has read enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = error.explain(&mut io::stderr().lock());
            error.exit_code()
        }
    }
}

/// Prints the settings, checks them, or serves with them.
fn run(args: &ServeArgs) -> Result<(), Error> {
    let sources = args.sources();
    let loaded = sources.load().map_err(Error::Settings)?;
    if args.print_config {
        let text = print::commented(&loaded.settings);
        return io::stdout().lock().write_all(text.as_bytes()).map_err(Error::Write);
    }
    for (name, near) in unknown_variables() {
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let _ = writeln!(io::stderr().lock(), "hybridge-relay: {name} is no setting and is ignored{near}");
    }
    let plan = Plan::new(&loaded).map_err(Error::Settings)?;
    if args.check_config {
        return writeln!(io::stdout().lock(), "the settings are good").map_err(Error::Write);
    }
    log::start(&loaded.settings.log)?;
    serve::run(sources, plan)
}
