//! The command line.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args as ClapArgs, Parser, Subcommand, error::ErrorKind};

mod ceremony;
mod doctor;
mod key;
mod manual;

pub(crate) use ceremony::{CeremonyArgs, CreateArgs, EventsForm, GetArgs, HostAndPort, ReachArgs};
pub(crate) use doctor::DoctorArgs;
pub(crate) use key::KeyArgs;
pub(crate) use manual::{CompletionsArgs, ManArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the answer is no: the code is refused, the picture shows none, nobody has the name
  2  wrong usage
  3  something could not be read or written
get, create, key and doctor have more, which their own help lists.";

const INSPECT_EXAMPLES: &str = "\
The text of a code is a secret: whoever has it can answer in the phone's place. Arguments can be seen by other
users of the machine and stay in the shell's history, so prefer a picture or standard input.

Examples:
  hybridge inspect --image screenshot.png
  wl-paste | hybridge inspect -";

const DOMAIN_EXAMPLES: &str = "\
Prints the ID, the host name and where the name comes from, separated by tabs.

Examples:
  hybridge domain 266
  hybridge domain cable.wufkweyy3uaxb.com
  hybridge domain --search wuf";

/// Passkeys on a nearby phone: uses them, and looks at QR codes and tunnel services of the FIDO hybrid transport
#[derive(Parser)]
#[command(name = "hybridge", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    Get(GetArgs),
    Create(CreateArgs),
    Key(KeyArgs),
    Doctor(DoctorArgs),
    Inspect(InspectArgs),
    Domain(DomainArgs),
    Completions(CompletionsArgs),
    #[command(hide = true)]
    Man(ManArgs),
}

/// Explain the QR code that a computer shows for a phone
#[derive(ClapArgs)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct InspectArgs {
    /// `-` to read the code's text from standard input, or the text itself, FIDO:/ and digits
    #[arg(value_name = "-|CODE", required_unless_present = "image")]
    pub(crate) code: Option<String>,
    /// Read the code from a PNG picture; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    pub(crate) image: Option<PathBuf>,
    /// Print the secret, the public key and the tunnel ID too
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Find the host name of a tunnel service ID, or the ID of a host name
#[derive(ClapArgs)]
#[command(after_help = DOMAIN_EXAMPLES)]
pub(crate) struct DomainArgs {
    /// A number from 0 to 65535, decimal or with 0x, or a host name
    #[arg(value_name = "ID|HOST", required_unless_present = "search")]
    pub(crate) name: Option<String>,
    /// List every ID whose computed host name starts so after `cable.`: how to pick a name to register
    #[arg(long, value_name = "PREFIX", conflicts_with = "name")]
    pub(crate) search: Option<String>,
}

/// Prints help to standard output, and a usage error in one line to standard error.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = write!(io::stdout().lock(), "{error}");
        return ExitCode::SUCCESS;
    }
    let text = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.to_string(),
        _ => one_line(&error.to_string()),
    };
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
    ExitCode::from(2)
}

fn one_line(error: &str) -> String {
    // The parser quotes what it does not understand, and that may be a code.
    if error.to_ascii_lowercase().contains("fido:") {
        return "hybridge: a code in the wrong place; see 'hybridge inspect --help'".to_owned();
    }
    let what = error.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.trim_start_matches("error:").split_whitespace().collect();
    format!("hybridge: {}; see 'hybridge --help'", words.join(" "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
