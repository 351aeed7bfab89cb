//! What can go wrong with a radio.

use std::error::Error;

use thiserror::Error;

/// Why a radio does not do what it was asked for.
///
/// Each variant calls for something else: the user switches Bluetooth on, plugs an adapter in or grants a
/// permission, the program starts the radio again or sends less. The text of each says so.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RadioError {
    /// There is no adapter, or it was unplugged while in use.
    #[error("there is no Bluetooth adapter: plug one in, or use a device that has one")]
    NoAdapter,
    /// There is no adapter of the name that was asked for.
    #[error("there is no Bluetooth adapter named {name:?}: {}", another(.present))]
    AdapterNotFound {
        /// The name that was asked for.
        name: String,
        /// The names of those that are there.
        present: Vec<String>,
    },
    /// The adapter is there and switched off, or was switched off while in use.
    #[error("Bluetooth is off: switch it on and try again")]
    PoweredOff,
    /// The system does not let this program use the radio.
    #[error("this program may not use Bluetooth: allow it in the system settings and try again")]
    PermissionDenied,
    /// The system service that drives the adapter is not running, or ended while in use.
    #[error("the Bluetooth service of the system is not running: start it again, then try again")]
    ServiceGone,
    /// The service data does not fit into one advert. Nothing was sent.
    #[error("{actual} bytes of service data do not fit into an advert of at most {max}: send fewer bytes")]
    AdvertTooLarge {
        /// Length of the service data in bytes.
        actual: usize,
        /// The most service data in bytes that this radio sends.
        max: usize,
    },
    /// The adapter sends as many adverts as it can. Nothing was sent.
    #[error(
        "the Bluetooth adapter sends as many adverts as it can: end another program that advertises, and try again"
    )]
    TooManyAdverts,
    /// No connection to another device came about: it does not answer, nobody listens at that PSM, or it turned the
    /// connection down.
    #[error("the other device could not be connected to: keep it near, with its screen on, and try again")]
    Unreachable,
    /// A connection to another device is over, whoever ended it.
    #[error(
        "the Bluetooth connection to the other device ended: keep the devices near each other and try again"
    )]
    Disconnected,
    /// A packet is larger than the other device takes. It was not sent.
    #[error("{actual} bytes do not fit into a packet of at most {max}: send fewer bytes at once")]
    PacketTooLarge {
        /// Length of the packet in bytes.
        actual: usize,
        /// The largest packet in bytes that the other device takes.
        max: usize,
    },
    /// The system or the adapter cannot do this at all.
    #[error("this device cannot {action}: use another Bluetooth adapter or another device")]
    Unsupported {
        /// What was asked for, as words that follow "cannot".
        action: &'static str,
    },
    /// The driver reported a fault that is none of the above.
    #[error("Bluetooth failed to {action}: try again, and if it keeps failing switch Bluetooth off and on")]
    Driver {
        /// What was asked for, as words that follow "failed to".
        action: &'static str,
        /// What the driver reported.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What to do when an adapter is not among those that are there.
fn another(present: &[String]) -> String {
    match present {
        [] => String::from("plug it in, as there is no other either"),
        _ => format!("choose one of {}", present.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_says_what_to_try() {
        let errors = [
            RadioError::NoAdapter,
            RadioError::AdapterNotFound { name: "hci7".into(), present: Vec::new() },
            RadioError::AdapterNotFound { name: "hci7".into(), present: vec!["hci0".into(), "hci1".into()] },
            RadioError::PoweredOff,
            RadioError::PermissionDenied,
            RadioError::ServiceGone,
            RadioError::AdvertTooLarge { actual: 25, max: 24 },
            RadioError::TooManyAdverts,
            RadioError::Unreachable,
            RadioError::Disconnected,
            RadioError::PacketTooLarge { actual: 24, max: 23 },
            RadioError::Unsupported { action: "advertise" },
            RadioError::Driver { action: "scan", source: "bus closed".into() },
        ];
        for error in errors {
            let text = error.to_string();
            let (what, remedy) = text.split_once(": ").expect("two parts");
            assert!(what.len() > 10 && remedy.len() > 10, "{text}");
        }
    }

    #[test]
    fn a_missing_adapter_and_those_that_are_there_are_named() {
        let present = vec!["hci0".into(), "hci1".into()];
        let text = RadioError::AdapterNotFound { name: "hci7".into(), present }.to_string();
        assert_eq!(text, "there is no Bluetooth adapter named \"hci7\": choose one of hci0, hci1");
    }

    #[test]
    fn sizes_are_named_and_the_cause_is_the_source() {
        let text = RadioError::AdvertTooLarge { actual: 25, max: 24 }.to_string();
        assert!(text.contains("25") && text.contains("24"));
        let text = RadioError::PacketTooLarge { actual: 72, max: 23 }.to_string();
        assert!(text.contains("72") && text.contains("23"));
        let error = RadioError::Driver { action: "scan", source: "bus closed".into() };
        assert_eq!(error.source().expect("a cause").to_string(), "bus closed");
        assert!(!error.to_string().contains("bus closed"), "the cause is not pasted into the text");
    }
}
