//! What the desktop's background service costs at rest, and how long a program waits for it. The figures stand next to
//! their bounds, and beyond those the exit code is 1.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use tokio::runtime;

mod failure;
mod figures;
mod idle;
mod kernel;
mod latency;
mod program;
mod service;
mod window;

use failure::Failure;
use figures::Figure;

/// Measures the desktop's background service
#[derive(Parser)]
#[command(name = "hybridge-cost")]
struct Arguments {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Measure {
    /// Memory and wake-ups while nothing asks, by the kernel's counters
    Idle {
        #[command(flatten)]
        programs: Programs,
        /// How long to wait until all is at rest, in seconds
        #[arg(long, default_value = "15")]
        settle: u64,
        /// How long to look, in seconds
        #[arg(long, default_value = "20")]
        look: u64,
    },
    /// From a program's request to the code on the screen, and from the phone's yes to the program's answer
    Latency {
        #[command(flatten)]
        programs: Programs,
        /// How many requests
        #[arg(long, default_value = "20")]
        rounds: usize,
        /// Look for the code on the screen of DISPLAY, with the real window
        #[arg(long)]
        screen: bool,
        /// How many times the bounds are allowed, on a machine that does other things as well
        #[arg(long, default_value = "1")]
        slack: u32,
    },
    /// What the service starts in place of a window, which passes on codes
    #[command(hide = true)]
    Window,
}

/// What is measured.
#[derive(Args)]
struct Programs {
    /// The program hybridge
    #[arg(long, value_name = "FILE")]
    hybridge: PathBuf,
    /// The program hybridge-desktop
    #[arg(long, value_name = "FILE")]
    desktop: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { measure } = Arguments::parse();
    let outcome = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::System)
        .and_then(|runtime| runtime.block_on(run(measure)));
    let mut out = io::stdout().lock();
    let (text, code) = match outcome {
        Ok(figures) => {
            let lines: String = figures.iter().map(|figure| format!("{figure}\n")).collect();
            (lines, if figures.iter().all(Figure::is_within) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(failure) => (format!("hybridge-cost: {failure}\n"), ExitCode::from(3)),
    };
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    code
}

async fn run(measure: Measure) -> Result<Vec<Figure>, Failure> {
    match measure {
        Measure::Idle { programs, settle, look } => {
            idle::measure(&programs, Duration::from_secs(settle), Duration::from_secs(look)).await
        }
        Measure::Latency { programs, rounds, screen, slack } => {
            latency::measure(&programs, rounds, screen, slack).await
        }
        Measure::Window => window::be_one().await.map(|()| Vec::new()),
    }
}
