//! What a program is told about a phone that could not be asked.

use hybridge_client::Error;

use crate::ctap::StatusCode;

/// The status for an error. The window says more.
pub(super) const fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::NobodyScanned | Error::NoAnswer | Error::TimedOut => StatusCode::USER_ACTION_TIMEOUT,
        Error::Refused(status) => StatusCode(status.get()),
        // Not for now and not in this way: programs give up on it, where OPERATION_DENIED makes some ask again.
        Error::Radio(_) | Error::Unsupported | Error::UnknownTunnelService(_) | Error::Tunnel { .. } => {
            StatusCode::NOT_ALLOWED
        }
        _ => StatusCode::OTHER,
    }
}

#[cfg(test)]
mod tests {
    use hybridge_ble::RadioError;

    use super::*;

    #[test]
    fn programs_hear_what_they_can_act_on() {
        assert_eq!(status_of(&Error::NobodyScanned), StatusCode::USER_ACTION_TIMEOUT);
        assert_eq!(status_of(&Error::Radio(RadioError::PoweredOff)), StatusCode::NOT_ALLOWED);
        assert_eq!(status_of(&Error::PhoneLeft), StatusCode::OTHER);
    }
}
