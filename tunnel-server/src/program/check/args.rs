//! The command line of the check.

use std::{fmt, fs, path::PathBuf, time::Duration};

use clap::Args;
use zeroize::Zeroizing;

use super::UsageError;

const EXAMPLES: &str = "\
Every step is one line: ok, note (works, but look at it) or broken; the last two with the cause and the fix.

Exit codes:
  0  the service works
  1  the service is broken
  2  wrong usage

Examples:
  hybridge-relay check --url https://cable.example.com
  hybridge-relay check --url https://cable.example.com --connect-to 127.0.0.1:8443 --ca root.pem
  hybridge-relay check --url https://cable.example.com --idle 130 --json";

/// Run a whole tunnel against a running service and explain what is wrong with it
///
/// Plays the phone and the client: name, TLS, both websockets, messages of several sizes in both directions, a quiet
/// moment, the end. Works with any tunnel service, from wherever it can be reached.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// The service, as phones reach it
    #[arg(long, value_name = "https://HOST[:PORT]")]
    pub(crate) url: String,
    /// A PEM file with a root certificate to trust beside those of this machine
    #[arg(long, value_name = "PEM")]
    pub(crate) ca: Option<PathBuf>,
    /// The access token to open tunnels with; other users of this machine can see it, so a file is better
    #[arg(long, conflicts_with = "token_file")]
    token: Option<Token>,
    /// A file with the access token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Dial this address; the name in the URL still stands in the request and has to stand in the certificate
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) connect_to: Option<String>,
    /// How long each step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
    /// How long the tunnel is left quiet, to see whether something between closes it; 130 covers the longest wait
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=600))]
    idle: u32,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
    /// Allow http:// to another machine, where everyone on the way can read and change what is sent
    #[arg(long)]
    pub(crate) insecure_plain: bool,
}

/// An access token. Wiped after use, and never shown.
#[derive(Clone)]
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

// Checked later: the command line's own error would show it.
impl From<String> for Token {
    fn from(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(text.trim().to_owned()))
    }
}

impl Token {
    fn checked(self) -> Result<Self, UsageError> {
        let fit = !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic());
        if fit { Ok(self) } else { Err(UsageError::Token) }
    }
}

impl CheckArgs {
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle.into())
    }

    /// The token to open tunnels with, if one is given.
    pub(crate) fn token(&self) -> Result<Option<Token>, UsageError> {
        let token = match &self.token_file {
            Some(path) => Some(fs::read_to_string(path).map_err(UsageError::TokenFile)?.into()),
            None => self.token.clone(),
        };
        token.map(Token::checked).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_never_shown() {
        let checked = |text: &str| Token::from(text.to_owned()).checked();
        let token = checked(" abc\n").unwrap();
        assert_eq!((token.as_str(), format!("{token:?}").as_str()), ("abc", "Token(..)"));
        for text in ["", "a b", "a\r\nHost: b", "\u{e4}"] {
            assert!(checked(text).is_err(), "{text:?}");
        }
    }
}
