//! A real Chromium as the laptop: `hybridge-phone` signs in with it, and phones that break a rule do not.
//!
//! Each case runs in an empty network namespace with a screen, a BlueZ, a tunnel service and a fresh Chromium of its
//! own. The page is served by this program, the code is read off the screen (in one case by the phone itself), and what the page gets is verified by
//! `webauthn-rs`. Ends with an error status unless every case went as it has to.
//!
//! Not a test of `cargo test`, as that must not need a browser: `.ci/browser` runs it.
#![forbid(unsafe_code)]

mod case;
mod catalogue;
mod chromium;
mod display;
mod failure;
mod meddling;
mod namespace;
mod phone;
mod radio;
mod relying_party;
mod site;
mod suite;
mod tunnel;

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use crate::{
    case::{Case, Scene},
    failure::Failure,
    suite::{Suite, say},
};

/// Checks that a real Chromium signs in with a phone, and only with one that keeps the rules.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program `hybridge-phone`
    #[arg(long, value_name = "FILE", default_value = "target/debug/hybridge-phone")]
    phone: PathBuf,
    /// How many cases run at the same time
    #[arg(long, value_name = "NUMBER", default_value = "2")]
    jobs: NonZero<usize>,
    /// Runs creating and using a passkey so many times, and nothing else
    #[arg(long, value_name = "NUMBER", conflicts_with = "only")]
    repeat: Option<NonZero<usize>>,
    /// Runs the cases whose name contains this; all others count as skipped, which is a failure
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Where logs and a picture of the screen are kept of each case that fails
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
    /// Runs one case in this process, which must be in a namespace of its own
    #[arg(long, value_name = "NAME", hide = true, requires = "folder")]
    case: Option<String>,
    /// The folder of that case, which is removed by whoever has made it
    #[arg(long, value_name = "FOLDER", hide = true)]
    folder: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match (&arguments.case, &arguments.folder) {
        (Some(name), Some(folder)) => one(name, folder, &arguments).await,
        _ => Suite::new(&arguments).run().await,
    }
}

/// Runs one case here. What is wrong goes to standard error.
async fn one(name: &str, folder: &Path, arguments: &Arguments) -> ExitCode {
    let Some(case) = catalogue::cases().into_iter().find(|case| case.name == name) else {
        say(std::io::stderr(), "there is no such case");
        return ExitCode::FAILURE;
    };
    match play(&case, &arguments.phone, folder, arguments.logs.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(std::io::stderr(), failure);
            ExitCode::FAILURE
        }
    }
}

async fn play(case: &Case, phone: &Path, folder: &Path, logs: Option<&Path>) -> Result<(), Failure> {
    namespace::arrive().await?;
    let mut scene = Scene::set(case, phone, folder).await?;
    let played = scene.play(case).await;
    if played.is_err() {
        scene.last_words().iter().for_each(|line| say(std::io::stderr(), line));
        if let Some(logs) = logs
            && let Err(error) = scene.keep(&logs.join(case.name.replace([':', ',', ' '], "-"))).await
        {
            say(std::io::stderr(), format_args!("what a person needs could not be kept: {error}"));
        }
    }
    played
}
