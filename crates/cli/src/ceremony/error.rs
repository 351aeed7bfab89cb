//! Why there is no credential, in one line, and the exit code for it.

use std::{error::Error as _, io, process::ExitCode, time::Duration};

use hybridge_ble::RadioError;
use hybridge_client::{
    Error as SessionError, Status,
    webauthn::{CeremonyError, OptionsError, OriginError, PhoneError},
};
use hybridge_picture::DrawError;
use hybridge_tunnel::{DialError, RootError};
use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("standard input has more than {limit} bytes; pass the options alone")]
    TooLong { limit: u64 },
    #[error("the certificate cannot be used; pass a PEM file with --dangerous-relay-ca")]
    Certificate(#[from] RootError),
    #[error("the address of --dangerous-relay-addr is not known; check the name")]
    Address(#[source] io::Error),
    #[error("{what} did not end within {}; close it behind the last byte", humantime::format_duration(*.limit))]
    Unfinished { what: &'static str, limit: Duration },
    #[error("standard input could not be read; redirect it from a file with the options")]
    ReadInput(#[source] io::Error),
    #[error("the certificate file could not be read; check that it exists and is yours to read")]
    ReadCertificate(#[source] io::Error),
    #[error(
        "something is already where the picture of the code is to be; remove it, or name another file with --qr-png"
    )]
    PictureExists,
    #[error("the picture of the code could not be written; name a file in a folder of yours")]
    WritePicture(#[source] io::Error),
    #[error("the code could not be drawn; update this program, or report it as a mistake in it")]
    Draw(#[from] DrawError),
    #[error("the code could not be shown on standard error; leave that open, or name a file with --qr-png")]
    WriteProgress(#[source] io::Error),
    #[error("the credential could not be written to standard output; ask the website for new options")]
    WriteCredential(#[source] io::Error),
    #[error(
        "there is no program hybridge-desktop for the window; install it beside this program, or leave out --gui"
    )]
    NoWindow(#[source] io::Error),
    #[error("the window found no screen; check DISPLAY or WAYLAND_DISPLAY, or leave out --gui")]
    NoDisplay,
    #[error("the window ended without an answer, so the sign-in is cancelled; try again, or leave out --gui")]
    WindowGone,
    #[error("the system gives this program no {what}; try again later")]
    System { what: &'static str, source: io::Error },
    #[error(transparent)]
    Radio(#[from] RadioError),
    #[error("nobody approved on a phone within {}; try again", humantime::format_duration(*.0))]
    TimedOut(Duration),
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Phone(#[from] PhoneError),
}

/// What programs tell apart, each with an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    InputOutput,
    Input,
    NoRadio,
    TimedOut,
    Refused,
    Excluded,
    TunnelService,
    Protocol,
    Cancelled,
}

impl From<CeremonyError> for Error {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Session(error) => Self::Session(error),
            CeremonyError::Phone(error) => Self::Phone(error),
            // What a newer library tells apart, and this program does not.
            _ => Self::Session(SessionError::Unsupported),
        }
    }
}

impl Error {
    pub(crate) fn from_picture(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::PictureExists,
            _ => Self::WritePicture(error),
        }
    }

    /// The message, with the system's or library's reason behind it unless the message has it already.
    pub(crate) fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(reason) = cause {
            let words = reason.to_string();
            if !text.contains(&words) {
                text = format!("{text} ({words})");
            }
            cause = reason.source();
        }
        text.replace(|letter: char| letter.is_control(), " ")
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Origin(_) | Self::Options(_) | Self::TooLong { .. } | Self::Certificate(_) => Kind::Input,
            Self::ReadInput(_)
            | Self::ReadCertificate(_)
            | Self::PictureExists
            | Self::WritePicture(_)
            | Self::Draw(_)
            | Self::WriteProgress(_)
            | Self::WriteCredential(_)
            | Self::NoWindow(_)
            | Self::NoDisplay
            | Self::System { .. } => Kind::InputOutput,
            Self::Address(_) => Kind::TunnelService,
            Self::Radio(_) => Kind::NoRadio,
            Self::TimedOut(_) | Self::Unfinished { .. } => Kind::TimedOut,
            Self::Cancelled | Self::WindowGone => Kind::Cancelled,
            Self::Session(error) => Kind::of_session(error),
            Self::Phone(PhoneError::NotDiscoverable | PhoneError::NoVerification) => Kind::Refused,
            Self::Phone(_) => Kind::Protocol,
        }
    }

    /// What is wrong with the radio, where a person can do something about it.
    pub(crate) fn radio(&self) -> Option<&'static str> {
        match self {
            Self::Radio(error) => radio(error),
            Self::Session(error) => radio_of_session(error),
            _ => None,
        }
    }

    /// The status of CTAP2 that the phone refused with.
    pub(crate) fn status(&self) -> Option<u8> {
        match self {
            Self::Session(SessionError::Refused(status)) => Some(status.get()),
            _ => None,
        }
    }

    /// What is wrong with the tunnel service, where a person can do something about it.
    pub(crate) fn tunnel(&self) -> Option<&'static str> {
        match self {
            Self::Session(error) => tunnel_of_session(error),
            _ => None,
        }
    }
}

/// The same for a session.
pub(crate) fn radio_of_session(error: &SessionError) -> Option<&'static str> {
    match error {
        SessionError::Radio(error) => radio(error),
        _ => None,
    }
}

/// What is wrong with the tunnel service of a session, where a person can do something about it.
pub(crate) fn tunnel_of_session(error: &SessionError) -> Option<&'static str> {
    let SessionError::Tunnel { source, .. } = error else { return None };
    match source {
        Some(DialError::Tls(_)) => Some("certificate"),
        Some(DialError::Refused { .. }) => Some("refused"),
        None
        | Some(
            DialError::Resolve(_) | DialError::Connect(_) | DialError::Broken(_) | DialError::TimedOut { .. },
        ) => Some("not-reached"),
        _ => None,
    }
}

fn radio(error: &RadioError) -> Option<&'static str> {
    match error {
        RadioError::PoweredOff => Some("bluetooth-off"),
        RadioError::NoAdapter | RadioError::AdapterNotFound { .. } => Some("no-adapter"),
        RadioError::PermissionDenied => Some("bluetooth-permission"),
        RadioError::ServiceGone => Some("bluetooth-service"),
        _ => None,
    }
}

impl Kind {
    pub(crate) fn of_session(error: &SessionError) -> Self {
        match error {
            SessionError::Radio(_) => Self::NoRadio,
            SessionError::NobodyScanned | SessionError::NoAnswer | SessionError::TimedOut => Self::TimedOut,
            SessionError::Refused(Status::CREDENTIAL_EXCLUDED) => Self::Excluded,
            SessionError::Refused(_) | SessionError::PhoneLeft | SessionError::Unsupported => Self::Refused,
            SessionError::UnknownTunnelService(_) | SessionError::Tunnel { .. } => Self::TunnelService,
            SessionError::Cancelled => Self::Cancelled,
            SessionError::Randomness | SessionError::NoRuntime => Self::InputOutput,
            _ => Self::Protocol,
        }
    }

    /// Whether the same may succeed a moment later, and without the program that asked.
    pub(crate) const fn may_pass(self) -> bool {
        matches!(self, Self::NoRadio | Self::TunnelService | Self::TimedOut)
    }

    /// As documented in the help text.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::InputOutput => 3,
            Self::NoRadio => 4,
            Self::TunnelService => 5,
            Self::TimedOut => 6,
            Self::Protocol => 7,
            Self::Refused => 8,
            Self::Excluded => 9,
            Self::Cancelled => 130,
        }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code())
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InputOutput => "input-output",
            Self::Input => "input",
            Self::NoRadio => "no-radio",
            Self::TimedOut => "timed-out",
            Self::Refused => "refused",
            Self::Excluded => "excluded",
            Self::TunnelService => "tunnel-service",
            Self::Protocol => "protocol",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use hybridge_client::AttemptError;

    use super::*;

    #[test]
    fn what_is_wrong_with_the_tunnel_service_is_told_apart() {
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        for (source, tunnel) in [
            (Some(DialError::Tls(broken())), Some("certificate")),
            (Some(DialError::Refused { status: 503, text: String::new() }), Some("refused")),
            (Some(DialError::Resolve(broken())), Some("not-reached")),
            (Some(DialError::Connect(broken())), Some("not-reached")),
            (Some(DialError::Broken(broken())), Some("not-reached")),
            (Some(DialError::TimedOut { after: Duration::from_secs(20) }), Some("not-reached")),
            (None, Some("not-reached")),
            (Some(DialError::InvalidRequest), None),
        ] {
            let error = Error::from(SessionError::Tunnel { error: AttemptError::DialTimeout, source });
            assert_eq!((error.kind(), error.tunnel()), (Kind::TunnelService, tunnel), "{error:?}");
            assert_eq!(error.status(), None);
        }
        assert_eq!(Error::from(SessionError::NobodyScanned).tunnel(), None);
    }
}
