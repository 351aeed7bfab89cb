//! The command line of `hybridge key`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use hybridge_security_key::helper::SOCKET;

use super::{EventsForm, ReachArgs};

const ABOUT: &str = "\
Every program that knows security keys finds one of USB. When one of them asks for it, the QR code appears here. Scan it with the phone, approve there, and the program gets its signature.

A security key is not told which page or program asks, only a relying party ID, which the program chooses. Scan codes of
sign-ins only that you began yourself.

When a program has several security keys to choose from, it asks all of them for a touch. Then there is a question here,
and y and Enter is the touch. Enter alone closes what is open, and the program is told no.";

const EXIT_CODES: &str = "\
Exit codes:
    1  the certificate cannot be used
    2  wrong usage
    3  there is no security key: the helper or /dev/uhid cannot be used, or they refuse
    5  the address for tests is not known
  130  ended by Ctrl-C or another signal, or with --events by the end of standard input";

const EVENTS: &str = "\
Events are one JSON object a line on standard error, with the member \"event\":
  ready              there is a security key now
  touch-wanted       with question, programs: ask the person \"Use your phone?\"; the line y on standard input is yes, an
                     empty one no
  phone-wanted       with question, operation (create, get), rp_id, user, programs: show who asks; an empty line on
                     standard input cancels
  code               with code, rp_id, seconds: draw the text as a QR code; in this time another one comes
  code-hidden, phone-nearby, connecting, handshaking, connected, waiting-for-approval, attempt-failed,
  unknown-tunnel-service
                     as those of hybridge get
  answered           with status: what the phone said, 0 for yes
  not-reached        with kind, message: why there is no answer; kinds are those of hybridge get, and so are \"radio\" and
                     \"tunnel\"
  cancelled          by the program or by you: there is nothing left to decide
  bluetooth          with on, message: what came of the line bluetooth-on
  wink               a program looks for this security key
  gone               the device is gone; it is made again
  failed             with kind, exit_code, message: the last line
\"programs\" are objects with name and pid: those of the same user that have the key open, so probably who asks. Names can
have any characters.
Lines on standard input are answers to the question that is open then. A number behind the answer, such as y 3 or n 3,
says to which question it belongs: if that is over, nothing happens. The line bluetooth-on switches the adapter on.
When standard input ends, so does the key.
There may be more later: pass over events and members that are not known.";

const EXAMPLES: &str = "\
Examples:
  hybridge key
  sudo hybridge key --uhid /dev/uhid";

/// Be a security key for other programs, whose touch and signature is a phone, until Ctrl-C
#[derive(ClapArgs)]
#[command(before_long_help = ABOUT, after_help = EXIT_CODES, after_long_help = format!("{EXIT_CODES}\n\n{EVENTS}\n\n{EXAMPLES}"))]
pub(crate) struct KeyArgs {
    /// Where hybridge-key-helper listens, which makes the device without rights of this program
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    pub(crate) socket: PathBuf,
    /// Make the device with this file, which needs the rights to it, in place of asking the helper
    #[arg(long, value_name = "PATH", conflicts_with = "socket")]
    pub(crate) uhid: Option<PathBuf>,
    /// Tell what happens as events for a program, and take its lines as answers
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) events: Option<EventsForm>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}
