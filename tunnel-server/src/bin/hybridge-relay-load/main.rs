//! `hybridge-relay-load`: loads a tunnel service on this machine and says what that costs the service, next to what a
//! raw TCP pair costs under the same load.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use tokio::{runtime, time::timeout};

mod abuse;
mod args;
mod bound;
mod crowd;
mod end;
mod error;
mod floor;
mod lifecycle;
mod pairs;
mod ping_pong;
mod process;
mod progress;
mod report;
mod rounds;
mod slow;
mod stats;
mod subject;
mod target;
mod tls;
mod wire;

use args::{Args, Common, Mode};
use error::Error;
use progress::Progress;
use report::Report;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.mode {
        Mode::Floor(floor) => floor::run(floor),
        mode => load(mode),
    };
    match done {
        // Whoever reads our output has read enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr().lock(), "hybridge-relay-load: {}", error.in_one_line());
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn load(mode: &Mode) -> Result<(), Error> {
    let Some(common) = mode.common() else { return Ok(()) };
    // One thread: the service under load is to have the rest of the machine.
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let bounded = async {
        let limit = Duration::from_secs(common.time_limit.into());
        timeout(limit, report(mode, common)).await.map_err(|_| Error::TimeUp(limit))?
    };
    let report = runtime.block_on(bounded)?;
    let mut stdout = io::stdout().lock();
    let written = if common.json { report.write_json(&mut stdout) } else { report.write_table(&mut stdout) };
    written.and_then(|()| stdout.flush()).map_err(Error::Write)?;
    common.at_most.iter().try_for_each(|bound| bound.check(&report))
}

async fn report(mode: &Mode, common: &Common) -> Result<Report, Error> {
    let progress = Progress::new(!common.quiet);
    match mode {
        Mode::Pairs(args) => pairs::run(args, &progress).await,
        Mode::PingPong(args) => ping_pong::run(args, &progress).await,
        Mode::Lifecycle(args) => lifecycle::run(args, &progress).await,
        Mode::Slow(args) => slow::run(args, &progress).await,
        Mode::Abuse(args) => abuse::run(args, &progress).await,
        Mode::Floor(_) => Ok(Report::default()),
    }
}
