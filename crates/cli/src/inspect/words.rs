//! The fields of a code in words.

use hybridge_proto::{domain::DomainId, qr::Hint};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What a code asks for. Unknown hints come from outside and are escaped.
pub(super) fn hint(wire: Option<&str>) -> String {
    let Some(wire) = wire else { return "a sign-in with a passkey (not stated)".to_owned() };
    let meaning = match Hint::from_wire(wire) {
        Hint::GetAssertion => "a sign-in with a passkey",
        Hint::MakeCredential => "a new passkey",
        Hint::DigitalPresentation => "a digital credential to be presented",
        Hint::DigitalIssuance => "a digital credential to be stored",
        _ => "something unknown, which counts as a sign-in",
    };
    let shown: String = wire.escape_debug().take(40).collect();
    format!("{meaning} ({shown})")
}

/// What the phone asks its owner.
pub(super) fn question(hint: &Hint) -> &'static str {
    match hint {
        Hint::MakeCredential => "make a passkey",
        Hint::DigitalPresentation => "present a digital credential",
        Hint::DigitalIssuance => "store a digital credential",
        _ => "sign in with a passkey",
    }
}

/// When a code was made and how long ago that is.
pub(super) fn age(timestamp: Option<u64>, age_seconds: Option<i64>) -> String {
    let (Some(timestamp), Some(age)) = (timestamp, age_seconds) else { return "not stated".to_owned() };
    let date = i64::try_from(timestamp)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{timestamp} seconds after 1970"));
    let span = span(age.unsigned_abs());
    match age {
        ..0 => format!("{date}, {span} from now: its clock is ahead"),
        0..LIKELY_OVER => format!("{date}, {span} ago"),
        _ => format!("{date}, {span} ago: the computer that showed it has most likely given up"),
    }
}

/// No client waits longer for a scan, in seconds.
const LIKELY_OVER: i64 = 15 * 60;

fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    let unit = UNITS.into_iter().find(|(length, _)| seconds >= 2 * length);
    let (length, name) = unit.unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// Which tunnel services the client knows by number.
pub(super) fn known_services(known: Option<u64>) -> String {
    const COMPUTED: &str = "all with a computed name";
    let Some(known) = known else { return format!("{COMPUTED}; no assigned ones stated") };
    let named: Vec<_> = (0..DomainId::ASSIGNED_COUNT)
        .map(DomainId::new)
        .filter(|id| id.is_known_to(known))
        .filter_map(|id| id.host().ok())
        .collect();
    let more = known.saturating_sub(u64::from(DomainId::ASSIGNED_COUNT));
    match (named.is_empty(), more) {
        (true, _) => format!("{COMPUTED}, none of the assigned ones"),
        (false, 0) => format!("{}, and {COMPUTED}", named.join(", ")),
        (false, more) => {
            format!("{}, {more} assigned later than this program, and {COMPUTED}", named.join(", "))
        }
    }
}

/// Which tunnel services a phone may choose for a client that knows so many assigned ones.
pub(super) fn allowed_services(known: u64) -> &'static str {
    if known == 0 {
        "its own, if that has a computed name"
    } else {
        "its own, if that is one the computer knows or has a computed name"
    }
}

/// How the two can talk.
pub(super) fn channels(numbers: Option<&[u64]>) -> String {
    let Some(numbers) = numbers else { return "tunnel service (not stated)".to_owned() };
    let names: Vec<_> = numbers
        .iter()
        .take(16)
        .map(|number| match number {
            0 => "tunnel service".to_owned(),
            1 => "Bluetooth L2CAP".to_owned(),
            other => format!("{other} (unknown)"),
        })
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Whether the client can call the phone again without a code.
pub(super) fn linking(supported: Option<bool>) -> String {
    match supported {
        Some(true) => "yes: the next time no code may be needed",
        Some(false) => "no",
        None => "no (not stated)",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_well() {
        assert_eq!(age(None, None), "not stated");
        assert_eq!(age(Some(1_666_589_051), Some(1)), "2022-10-24T05:24:11Z, 1 second ago");
        assert_eq!(age(Some(0), Some(119)), "1970-01-01T00:00:00Z, 119 seconds ago");
        assert_eq!(age(Some(0), Some(150)), "1970-01-01T00:00:00Z, 2 minutes ago");
        assert!(
            age(Some(0), Some(900))
                .ends_with("15 minutes ago: the computer that showed it has most likely given up")
        );
        assert!(age(Some(0), Some(3 * 86_400)).contains("3 days ago"));
        assert!(age(Some(0), Some(i64::MAX)).contains("years ago"));
        assert_eq!(
            age(Some(7200), Some(-7200)),
            "1970-01-01T02:00:00Z, 2 hours from now: its clock is ahead"
        );
        assert!(age(Some(u64::MAX), Some(i64::MIN)).starts_with("18446744073709551615 seconds after 1970"));
    }

    #[test]
    fn tunnel_services_are_named() {
        assert_eq!(known_services(None), "all with a computed name; no assigned ones stated");
        assert_eq!(known_services(Some(0)), "all with a computed name, none of the assigned ones");
        assert_eq!(known_services(Some(1)), "cable.ua5v.com, and all with a computed name");
        assert_eq!(known_services(Some(2)), "cable.ua5v.com, cable.auth.com, and all with a computed name");
        let three = known_services(Some(3));
        assert!(three.contains("1 assigned later than this program"), "{three}");
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        assert_eq!(hint(Some("\x1b[2J")), "something unknown, which counts as a sign-in (\\u{1b}[2J)");
        assert!(hint(Some(&"x".repeat(1000))).len() < 100);
    }

    #[test]
    fn channels_are_named() {
        assert_eq!(channels(None), "tunnel service (not stated)");
        assert_eq!(channels(Some(&[0, 1, 7])), "tunnel service, Bluetooth L2CAP, 7 (unknown)");
        assert_eq!(channels(Some(&[])), "none");
    }
}
