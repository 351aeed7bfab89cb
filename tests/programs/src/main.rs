//! `hybridge get` and `hybridge create` against `hybridge-phone`: real programs, over a BlueZ without a radio and a tunnel
//! service on this machine. And `hybridge-testbed`, which brings both.
//!
//! Each case has a bus, a BlueZ, a tunnel service and a folder of its own; what a website gets is verified by
//! `webauthn-rs`. Ends with an error status unless every case went as it has to.
//!
//! Not a test of `cargo test`, as that must need neither dbus-daemon nor zbarimg: `.ci/programs` runs it.
#![forbid(unsafe_code)]

mod cases;
mod failure;
mod laptop;
mod phone;
mod scene;
mod site;
mod testbed;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use tokio::time::timeout;

use crate::{
    cases::{CASES, Case},
    failure::Failure,
    scene::Scene,
};

/// Far more than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// Checks `hybridge get`, `hybridge create` and `hybridge-testbed`, as programs and as people run them.
#[derive(Parser)]
struct Arguments {
    /// The program `hybridge`
    #[arg(long, value_name = "FILE", default_value = "target/debug/hybridge")]
    hybridge: PathBuf,
    /// The program `hybridge-phone`
    #[arg(long, value_name = "FILE", default_value = "target/debug/hybridge-phone")]
    phone: PathBuf,
    /// The program `hybridge-testbed`
    #[arg(long, value_name = "FILE", default_value = "target/debug/hybridge-testbed")]
    testbed: PathBuf,
    /// Runs the cases whose name contains this; all others count as skipped, which is a failure
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let (mut passed, mut failed) = (0_usize, 0_usize);
    say(format_args!("{:48}  {:>7}", "case", "seconds"));
    for case in CASES.iter().filter(|case| case.name.contains(&arguments.only)) {
        let since = Instant::now();
        let outcome = timeout(LONG, play(case, &arguments)).await;
        let outcome = outcome.unwrap_or(Err(Failure::Undecided(LONG.as_secs())));
        let word = if outcome.is_ok() { "passed" } else { "FAILED" };
        say(format_args!("{:48}  {:>7.1}  {word}", case.name, since.elapsed().as_secs_f32()));
        match outcome {
            Ok(()) => passed += 1,
            Err(failure) => {
                failed += 1;
                say(format_args!("    {failure}"));
            }
        }
    }
    let (count, seconds) = (passed + failed, started.elapsed().as_secs());
    let skipped = CASES.len() - count;
    say(format_args!("\n{count} cases in {seconds} s: {passed} passed, {failed} failed, {skipped} skipped"));
    if failed == 0 && skipped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn play(case: &Case, arguments: &Arguments) -> Result<(), Failure> {
    let mut scene = Scene::set(arguments).await?;
    (case.play)(&mut scene).await
}

/// Writes a line. One that cannot be written is of no use to anybody.
fn say(line: fmt::Arguments<'_>) {
    writeln!(io::stdout(), "{line}").unwrap_or_default();
}
