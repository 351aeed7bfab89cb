//! What goes wrong, in one line, and the exit code for it.

use std::{error::Error as _, io, path::PathBuf};

use hybridge_authenticator::Error as SessionError;
use hybridge_ble::RadioError;
use hybridge_picture::{ReadError, screen::ScreenError};
use hybridge_proto::{
    authenticator::{AuthenticatorError, StartError},
    qr::QrError,
};
use hybridge_tunnel::RootError;
use thiserror::Error;

use crate::state::StateError;

/// Why the phone did not do what it was started for. No variant holds or prints a code.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// What was read is not a usable code.
    #[error(transparent)]
    Code(#[from] QrError),
    /// The argument is not a code, but the name of a file.
    #[error("this is a file and not a code; did you mean --image?")]
    CodeIsAFile,
    /// More text than any code has.
    #[error("the text is longer than any code; pass the code alone")]
    TooLong,
    /// What was read is not text.
    #[error("standard input is not text; pass the text of the code, or its picture with --image")]
    NotText,
    /// Standard input ended first.
    #[error("standard input ended without a code; pass the text of the code, FIDO:/ and digits")]
    NoCode,
    /// The picture shows no code that can be read.
    #[error(transparent)]
    Picture(#[from] ReadError),
    /// The picture could not be read.
    #[error("the picture {} could not be read; check that it exists and is yours to read", .0.display())]
    PictureFile(PathBuf, #[source] io::Error),
    /// There is no picture of the screen.
    #[error(transparent)]
    Screen(ScreenError),
    /// Standard input could not be read.
    #[error("standard input could not be read; pass a picture with --image")]
    Input(#[source] io::Error),
    /// Nobody can be asked.
    #[error(
        "there is no terminal to ask at; start the program from one, or see --approve in 'hybridge-phone --help'"
    )]
    NoTerminal(#[source] io::Error),
    /// Everything would be granted with passkeys that nobody has set apart for it.
    #[error("--approve always needs --state, so that no other passkeys are used; name a directory for tests")]
    AlwaysNeedsState,
    /// Everything would be granted as if by the owner, who has chosen a passphrase to be known by.
    #[error("--approve always is for tests, and these passkeys have a passphrase; name another --state")]
    AlwaysNeedsTests,
    /// The answers to the first questions did not get through.
    #[error("the terminal could not be used; start the program from another one")]
    Terminal(#[source] io::Error),
    /// The passphrase could not be hashed.
    #[error(
        "the passphrase could not be kept: this computer lacks 64 MiB of memory for it; end other programs"
    )]
    Passphrase,
    /// The file of `--relay-ca` could not be read.
    #[error("the certificate file {} could not be read; check that it exists and is yours to read", .0.display())]
    CaFile(PathBuf, #[source] io::Error),
    /// The file of `--relay-ca` is of no use.
    #[error("the certificate file {} is of no use", .0.display())]
    Ca(PathBuf, #[source] RootError),
    /// The host of `--relay-addr` was not found.
    #[error("the host of --relay-addr was not found; give an address and a port, for example 127.0.0.1:8443")]
    Address(#[source] Option<io::Error>),
    /// What the phone keeps cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no radio to use.
    #[error(transparent)]
    Radio(RadioError),
    /// A session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A signal ended the program.
    #[error("interrupted")]
    Interrupted,
}

/// Exit codes, as the help text has them.
mod code {
    pub(super) const NOT_A_CODE: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const FILES: u8 = 3;
    pub(super) const RADIO: u8 = 4;
    pub(super) const TUNNEL_SERVICE: u8 = 5;
    pub(super) const NOBODY_CAME: u8 = 6;
    pub(super) const PROTOCOL: u8 = 7;
    pub(super) const INTERRUPTED: u8 = 130;
}

impl Error {
    /// The message, with the reasons of systems and libraries behind it.
    pub fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(reason) = source {
            let words = reason.to_string();
            if !text.contains(&words) {
                text.push_str(&format!(" ({words})"));
            }
            source = reason.source();
        }
        text.replace(|c: char| c.is_control(), " ")
    }

    /// Whether nothing can be done for further codes either.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::State(_)
                | Self::Screen(_)
                | Self::Input(_)
                | Self::NoCode
                | Self::TooLong
                | Self::Interrupted
        )
    }

    /// As documented in the help text.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Code(_) | Self::CodeIsAFile | Self::TooLong | Self::NotText | Self::NoCode => {
                code::NOT_A_CODE
            }
            Self::Picture(ReadError::NotPng(_)) => code::FILES,
            Self::Picture(_) => code::NOT_A_CODE,
            Self::NoTerminal(_) | Self::AlwaysNeedsState | Self::AlwaysNeedsTests | Self::Address(_) => {
                code::USAGE
            }
            Self::PictureFile(..)
            | Self::Screen(_)
            | Self::Input(_)
            | Self::Terminal(_)
            | Self::Passphrase
            | Self::CaFile(..)
            | Self::Ca(..)
            | Self::State(_) => code::FILES,
            Self::Radio(_) => code::RADIO,
            Self::Session(error) => session(error),
            Self::Interrupted => code::INTERRUPTED,
        }
    }
}

const fn session(error: &SessionError) -> u8 {
    match error {
        SessionError::Code(_) => code::NOT_A_CODE,
        SessionError::Start(StartError::Unassigned(_)) => code::USAGE,
        SessionError::Radio(_) => code::RADIO,
        SessionError::Tunnel { .. } | SessionError::NobodyCame(AuthenticatorError::TunnelLost) => {
            code::TUNNEL_SERVICE
        }
        SessionError::NobodyCame(_) | SessionError::ClientLeft => code::NOBODY_CAME,
        SessionError::Randomness => code::FILES,
        _ => code::PROTOCOL,
    }
}
