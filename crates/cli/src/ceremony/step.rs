//! What happens, as far as this program tells it.

use std::time::{Duration, Instant};

use hybridge_client::{AttemptError, Progress, QrUri};
use hybridge_picture::Picture;
use hybridge_proto::domain::DomainId;

/// A code and what belongs beside it.
pub(crate) struct Shown<'a> {
    /// The text: a secret.
    pub(crate) code: &'a str,
    pub(crate) picture: &'a Picture,
    pub(crate) origin: &'a str,
    pub(crate) rp_id: &'a str,
    /// When a fresh one will take its place.
    pub(crate) seconds: u64,
}

/// Anything that happens but that a code is to be shown.
pub(crate) enum Step {
    CodeHidden,
    PhoneNearby,
    Connecting,
    Handshaking,
    Connected,
    WaitingForApproval,
    AttemptFailed(AttemptError),
    UnknownTunnelService(DomainId),
}

/// What the session told.
pub(crate) enum News {
    Show { code: QrUri, seconds: u64 },
    Step(Step),
}

impl News {
    /// `None` for what nobody has to know: that the radio listens is clear once a code is shown.
    pub(crate) fn from_progress(progress: Progress) -> Option<Self> {
        Some(Self::Step(match progress {
            Progress::ShowQr { code, until } => {
                let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(500);
                return Some(Self::Show { code, seconds: left.as_secs() });
            }
            Progress::HideQr => Step::CodeHidden,
            Progress::PhoneNearby(_) => Step::PhoneNearby,
            Progress::Connecting(_) => Step::Connecting,
            Progress::Handshaking(_) => Step::Handshaking,
            Progress::Connected(_) => Step::Connected,
            Progress::WaitingForPhone => Step::WaitingForApproval,
            Progress::AttemptFailed { error, .. } => Step::AttemptFailed(error),
            Progress::UnknownTunnelService(domain) => Step::UnknownTunnelService(domain),
            _ => return None,
        }))
    }
}
