//! The command lines of `hybridge get` and `hybridge create`.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Args as ClapArgs, ValueEnum};
use hybridge_client::Framing;

const SHORT_HELP: &str = "\
Exit codes:
    0  the credential is on standard output
    1  the options, the origin or the certificate cannot be used; nobody was asked
    2  wrong usage
    3  something could not be read or written
    4  no Bluetooth: no adapter, switched off, no permission, no service
    5  the phone's tunnel service cannot be used: not known, not reached, a bad certificate, refused
    6  timed out
    7  the phone, or somebody in between, broke the protocol
    8  the phone refused, left or cannot do it
    9  the phone already has one of the excluded passkeys
  130  cancelled by Ctrl-C or another signal, or at the window";

const EVENTS_HELP: &str = "\
Events, one JSON object a line, whose member \"event\" is one of:
  code                    draw the member \"code\" as a QR code beside \"origin\", in place of an earlier one; it is
                          a secret. \"rp_id\": whose passkey; \"seconds\": when a fresh one will take its place
  code-hidden             take the code off the screen
  phone-nearby            a phone has proved to be near
  connecting              the channel to the phone is being opened
  handshaking             both sides prove who they are
  connected               the phone is connected
  waiting-for-approval    the phone asks its owner
  attempt-failed          a phone was not reached or failed its proof, as \"message\" says; the search goes on
  unknown-tunnel-service  a phone uses the tunnel service \"id\", whose host nobody knows; the search goes on
  done                    the last one: the credential is on standard output
  failed                  the last one: there is none; \"kind\", \"exit_code\" and \"message\" say why. With the kind
                          no-radio, \"radio\" may say what is wrong with it: bluetooth-off, no-adapter,
                          bluetooth-permission or bluetooth-service; with tunnel-service, \"tunnel\" may say what is wrong
                          with that: not-reached, refused or certificate. \"status\" is the CTAP2 status that the phone
                          refused with
The first is code, or failed if it does not come to that. Whoever has read a code need not read on: the ceremony does not
end because standard error is closed. Wrong usage is told in plain text. Programs should skip
events and members that they do not know.

The window of --gui is \"hybridge-desktop window\", beside this program or in PATH. It gets the same events on its standard
input, and phone-wanted before them: who asks, with \"operation\", \"rp_id\", \"user\", \"origin\", and in \"programs\" the name
and pid of the program that started this one. Its lines are answers: an empty one or its end cancels, bluetooth-on
switches the adapter on, of which bluetooth tells with \"on\" and \"message\", and retry begins anew, as long as there is
time, when failed had \"retry\": true.";

const EXAMPLE_GET: &str = "\
The options are PublicKeyCredentialRequestOptionsJSON, alone or as the member \"publicKey\" of an object, as a website
passes them to its page. The credential is an AuthenticationResponseJSON, for the website to verify.

Any program can name any origin here: whoever runs this is the browser, and is trusted to ask for the right site.

Example:
  hybridge get --origin https://example.com < options.json > credential.json";

const EXAMPLE_CREATE: &str = "\
The options are PublicKeyCredentialCreationOptionsJSON, alone or as the member \"publicKey\" of an object, as a website
passes them to its page. The credential is a RegistrationResponseJSON, for the website to verify.

Any program can name any origin here: whoever runs this is the browser, and is trusted to ask for the right site.

Example:
  hybridge create --origin https://example.com < options.json > credential.json";

/// Sign in with a passkey on a phone: WebAuthn options on standard input, the credential on standard output
#[derive(ClapArgs)]
#[command(
    before_long_help = EXAMPLE_GET,
    after_help = SHORT_HELP,
    after_long_help = format!("{SHORT_HELP}\n\n{EVENTS_HELP}")
)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) ceremony: CeremonyArgs,
}

/// Make a passkey on a phone: WebAuthn options on standard input, the credential on standard output
#[derive(ClapArgs)]
#[command(
    before_long_help = EXAMPLE_CREATE,
    after_help = SHORT_HELP,
    after_long_help = format!("{SHORT_HELP}\n\n{EVENTS_HELP}")
)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) ceremony: CeremonyArgs,
}

#[derive(ClapArgs)]
pub(crate) struct CeremonyArgs {
    /// Which website asks: scheme https, a host name, and a port if it is not 443; or http on localhost
    #[arg(long, value_name = "URL")]
    pub(crate) origin: String,
    /// Keep the QR code in this file as a PNG picture, readable by you alone, for as long as it is to be shown. Nothing
    /// may be there before
    #[arg(long, value_name = "FILE")]
    pub(crate) qr_png: Option<PathBuf>,
    /// Show the QR code and what happens in a window, by the program hybridge-desktop. Closing it cancels
    #[arg(long)]
    pub(crate) gui: bool,
    /// Tell on standard error what happens, for programs; no code is drawn there
    #[arg(long, value_name = "FORM")]
    pub(crate) events: Option<EventsForm>,
    /// Give up after this time, such as 90s or 2m, the reading of the options included [default: 10 minutes for that,
    /// and then what they say, from 5 to 10 minutes]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How phones are reached.
#[derive(ClapArgs)]
pub(crate) struct ReachArgs {
    /// Bluetooth adapter to listen with, such as hci0 [default: the first that is switched on]
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Also offer a channel over Bluetooth, without a tunnel service between, to phones that know it; some older ones
    /// refuse such a code
    #[arg(long)]
    pub(crate) l2cap: bool,
    /// With --l2cap: how messages to the phone end. Phones may understand one way only; one that does not is reached
    /// through the tunnel service
    #[arg(long, value_name = "FORM", requires = "l2cap", default_value = "crlf")]
    pub(crate) l2cap_framing: FramingForm,
    /// Dangerous, for tests: connect here whatever tunnel service the phone names. Whoever answers there learns when
    /// and with what address you sign in; TLS still has to prove the service's name
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) dangerous_relay_addr: Option<HostAndPort>,
    /// Dangerous, for tests: also trust the certificates in this PEM file. Whoever has a key to one of them can pose
    /// as any tunnel service
    #[arg(long, value_name = "PEM")]
    pub(crate) dangerous_relay_ca: Option<PathBuf>,
}

/// How events are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventsForm {
    /// One JSON object a line; see below
    Json,
}

/// How messages end on a channel over Bluetooth.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FramingForm {
    /// CR LF behind each; tested with Google Play services on Android 16
    Crlf,
    /// The length before each, as the crate pxp 0.1 has it
    Length,
}

impl From<FramingForm> for Framing {
    fn from(form: FramingForm) -> Self {
        match form {
            FramingForm::Crlf => Self::CrLf,
            FramingForm::Length => Self::Length,
        }
    }
}

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostAndPort {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for HostAndPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a host and a port, such as 127.0.0.1:8443 or [::1]:8443";
        let (host, port) = text.rsplit_once(':').ok_or(WRONG)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if host.is_empty() || (bare.is_none() && host.contains(':')) {
            return Err(WRONG);
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| WRONG)? })
    }
}

/// A time such as `90s`; a bare number means seconds.
fn time(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "write a time from 1s to 1h, such as 90s or 2m";
    let time = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text).map_err(|_| WRONG)?,
    };
    let usual = Duration::from_secs(1)..=Duration::from_hours(1);
    if usual.contains(&time) { Ok(time) } else { Err(WRONG) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("1", 1), ("90", 90), ("90s", 90), ("2m", 120), ("1m 30s", 90), ("1h", 3600)]
        {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "-1", "999ms", "61m", "soon", "18446744073709551616"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_read() {
        for (text, host, port) in [
            ("127.0.0.1:8443", "127.0.0.1", 8443),
            ("relay.example:1", "relay.example", 1),
            ("[::1]:443", "::1", 443),
        ] {
            assert_eq!(text.parse(), Ok(HostAndPort { host: host.to_owned(), port }));
        }
        for text in ["", "localhost", ":1", "::1:443", "[]:1", "host:", "host:65536", "host:http"] {
            assert!(text.parse::<HostAndPort>().is_err(), "{text}");
        }
    }
}
