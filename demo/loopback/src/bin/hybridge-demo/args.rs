//! The command line.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use hybridge_ble::sim::{NotAProbability, Probability};

const ABOUT: &str = "\
A passkey is made on a phone and used on a laptop, over the whole FIDO hybrid transport, in one process

Website, laptop, phone, tunnel service and air all run here, with no Bluetooth and no internet. The phone gets
the laptop's QR code only by reading the picture. Prints what happens, who learns what by it, and when.";

const DETAILS: &str = "\
A seed decides everything random that is ours: codes, keys, adverts, routing IDs, and what the air loses. Codes
then carry the date 2026-01-01, so that the same seed draws the same pictures. Libraries draw for themselves: the
website's challenges, the passkeys, the keys of TLS. Times differ from run to run.

Examples:
  hybridge-demo                             a registration and a sign-in
  hybridge-demo --seed 7 --png code.png     the same codes each time, the first one in a file
  hybridge-demo --loss 0.8 --phones 20      a bad radio in a crowd
  hybridge-demo --loss 1 --search 2         nobody hears anything: an error after two seconds
  hybridge-demo --json                      for programs
  hybridge-demo --attack list               names of attacks to try

Exit codes:
  0  registered and signed in, both verified by the website; or the attack was refused
  1  one of them failed; or the attack was not refused, or has an unknown name
  2  wrong usage
  3  something could not be written";

/// A passkey is made on a phone and used on a laptop, over the whole FIDO hybrid transport, in one process
#[derive(Debug, Parser)]
#[command(name = "hybridge-demo", version, long_about = ABOUT, after_help = DETAILS)]
pub(crate) struct Args {
    /// Number that all randomness of ours follows from, 0 to 2^64-1 [default: a random one, which is shown]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How likely the air loses an advert each time it is sent, 0 to 1; adverts are sent every 100 ms
    #[arg(long, value_name = "PROB", default_value = "0", value_parser = probability)]
    pub(crate) loss: Probability,
    /// How many other phones in range send adverts of their own all the time, up to 1000
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub(crate) phones: u16,
    /// How long the laptop looks for the phone, and the phone waits for the laptop, 0.1 to 300
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) search: Duration,
    /// Try an attack instead, and print who refuses it; `list` prints the names, one a line
    #[arg(long, value_name = "NAME", conflicts_with_all = ["png", "loss", "phones", "search"])]
    pub(crate) attack: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the picture of the first code to this file. It is a secret until the code is used
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Log to standard error, for example `debug` or `hybridge_client=trace` [default: RUST_LOG, else off]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

impl Args {
    /// Reads the program's arguments.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}

fn probability(text: &str) -> Result<Probability, String> {
    let number = text.parse().map_err(|_| NotAProbability.to_string())?;
    Probability::new(number).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    let allowed = Duration::from_millis(100)..=Duration::from_secs(300);
    number.filter(|time| allowed.contains(time)).ok_or_else(|| "a number from 0.1 to 300".to_owned())
}

/// Prints help to standard output, and a usage error in one line to standard error.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = write!(io::stdout().lock(), "{error}");
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let what = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.trim_start_matches("error:").split_whitespace().collect();
    let _ = writeln!(io::stderr().lock(), "hybridge-demo: {}; see --help", words.join(" "));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn numbers_are_checked() {
        for (text, ok) in
            [("0", true), ("1.0", true), ("1.1", false), ("-0.5", false), ("NaN", false), ("x", false)]
        {
            assert_eq!(probability(text).is_ok(), ok, "{text}");
        }
        for (text, ok) in
            [("0.1", true), ("300", true), ("0.05", false), ("301", false), ("-1", false), ("inf", false)]
        {
            assert_eq!(seconds(text).is_ok(), ok, "{text}");
        }
    }
}
