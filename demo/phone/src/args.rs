//! The command line.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{ArgGroup, Parser, ValueEnum, error::ErrorKind};
use hybridge_authenticator::passkey::Attestation;
use zeroize::Zeroizing;

const AFTER_HELP: &str = "\
The text of a code is a secret: whoever has it can answer in this phone's place. Arguments can be seen by other
users of the machine and stay in the shell's history, so prefer --screen, a picture or standard input.

Approval:
  ask     asks at the terminal. Where a website wants its user verified, the passphrase is asked for; it is chosen
          when a state directory is first used, and asked for at each start until there is one: whoever chooses it
          is the owner. Without it, and without --state, such websites are refused.
  always  grants everything at once as if by the verified owner, and says TEST MODE. Needs --state, and one that has
          no passphrase.
  never   refuses everything (CTAP status 0x27).

Passkeys:
  --state keeps them in a directory for this user alone, one process at a time. They are NOT ENCRYPTED yet: whoever
  can read the directory can sign in as you. One of another user, or that others can write to, is refused. Without
  --state they are gone when the program ends.

Attestation (--attestation):
  none  a new passkey proves nothing about this phone, as with phones that are bought.
  self  it comes with its own signature, for programs that refuse none: ssh-keygen, fido2-cred. That says nothing about
        this phone either.

Direct connection (--l2cap):
  Where the code asks for it, the phone offers a Bluetooth connection (BLE L2CAP, CTAP 2.3) beside the tunnel
  service, and does without the latter if it cannot be reached. Its adverts then have the adapter's own address, by
  which those nearby can recognise this phone, unless the system hides it. Other adverts have random addresses.

Tunnel service:
  The phone picks it, and the computer follows: 0 is Google's and 1 is Apple's, which every browser knows, 2 to 255
  are nobody's, and the host name of any higher number is computed ('hybridge domain'), so that anybody can run one.

Events (--events json), one object a line on standard output, each with a member \"event\":
  ready              passkeys, user_verification, test_mode
  waiting-for-code
  code-read          hint
  connecting         tunnel_service
  tunnel-unavailable reason
  advertising
  client-connected
  request            operation (make-credential, get-assertion), rp_id, accounts
  decided            approved, user_verified, test_mode
  replied            operation, status (CTAP; 0 is success)
  finished
  failed             error, exit_code
More events and members may come; ignore those you do not know. Warnings and errors are on standard error.

Exit codes:
  0    the phone has answered as it was meant to, whatever the CTAP status was; or nothing was left to answer
  1    there is no usable code: not a code, a damaged one, a picture without one
  2    wrong usage: see --help
  3    something could not be read or written: a picture, the screen, the state, a certificate file, the terminal
  4    no Bluetooth: no adapter, switched off, no permission, no service
  5    the tunnel service cannot be used: not reached, a bad certificate, refused, hung up
  6    no computer came, or it left with something unanswered
  7    the computer, or somebody in between, broke the protocol; or the two have nothing in common
  130  interrupted by a signal with something left to do

Examples:
  hybridge-phone --screen --state ~/.local/share/hybridge-phone
  wl-paste | hybridge-phone - --state ~/.local/share/hybridge-phone --once
  hybridge-phone --image code.png --state ~/test-phone --approve always --events json";

/// A phone for signing in with passkeys: answers the QR codes that computers show
#[derive(Parser)]
#[command(name = "hybridge-phone", version, after_help = AFTER_HELP, arg_required_else_help = true)]
#[command(group(ArgGroup::new("source").required(true).args(["code", "image", "screen"])))]
pub(crate) struct Args {
    /// `-` to read codes from standard input, one a line, or the text of one code, FIDO:/ and digits
    #[arg(value_name = "-|CODE", value_parser = secret)]
    pub(crate) code: Option<Secret>,
    /// Read the code from a PNG picture; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// Read codes off the screen, as soon as one is shown
    #[arg(long)]
    pub(crate) screen: bool,
    /// Keep passkeys in this directory, which is made if there is none
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Who decides about requests
    #[arg(
        long,
        value_enum,
        default_value = "ask",
        value_name = "ask|always|never",
        hide_possible_values = true
    )]
    pub(crate) approve: Approve,
    /// What comes with new passkeys
    #[arg(long, value_enum, default_value = "none", value_name = "none|self", hide_possible_values = true)]
    pub(crate) attestation: Attest,
    /// The tunnel service's number, which goes into the advert
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) domain_id: u16,
    /// Connect here; the tunnel service's name and certificate are checked all the same
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) relay_addr: Option<String>,
    /// Trust the certificates of this PEM file too when connecting to the tunnel service
    #[arg(long, value_name = "PEM")]
    pub(crate) relay_ca: Option<PathBuf>,
    /// The Bluetooth adapter, for example hci1 [default: the first that is switched on]
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Offer the computer a direct Bluetooth connection too, if its code asks for one
    #[arg(long)]
    pub(crate) l2cap: bool,
    /// End after one code
    #[arg(long)]
    pub(crate) once: bool,
    /// Tell events as JSON lines in place of sentences
    #[arg(long, value_enum, value_name = "json", hide_possible_values = true)]
    pub(crate) events: Option<Events>,
    /// Log to standard error, for example `debug` [default: RUST_LOG, else off]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Who decides about requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Approve {
    Ask,
    Always,
    Never,
}

/// What comes with new passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attest {
    None,
    #[value(name = "self")]
    Itself,
}

impl From<Attest> for Attestation {
    fn from(attest: Attest) -> Self {
        match attest {
            Attest::None => Self::None,
            Attest::Itself => Self::SelfSigned,
        }
    }
}

/// How events are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Events {
    Json,
}

/// The text of a code.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) Zeroizing<String>);

#[allow(clippy::unnecessary_wraps, reason = "what an argument parser returns")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret(Zeroizing::new(text.to_owned())))
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
        return "hybridge-phone: a code in the wrong place; see 'hybridge-phone --help'".to_owned();
    }
    let what = error.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.trim_start_matches("error:").split_whitespace().collect();
    format!("hybridge-phone: {}; see 'hybridge-phone --help'", words.join(" "))
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
