//! Whether the clock is right, as far as that can be told.

use std::time::{Duration, SystemTime};

use super::super::{
    facts::{Clock, Reached, Tunnel},
    finding::{Check, Finding},
};

/// What clocks may be apart without anybody noticing.
const NOTICED: Duration = Duration::from_mins(5);
/// What is sure to lead to certificates that are refused.
const WILD: Duration = Duration::from_hours(24);

const SET: &str = "sudo timedatectl set-ntp true";

pub(super) fn finding(clock: &Clock, tunnels: &[Tunnel]) -> Finding {
    let check = Check::Clock;
    // A day of tolerance for files that were written elsewhere.
    if clock.program.is_some_and(|made| clock.now + WILD < made) {
        let statement = "The clock is wrong: it is set to before this program was made";
        return Finding::fail(check, statement, "set the clock").with(SET);
    }
    // The service that agrees best is believed: the other's clock may be wrong itself.
    let nearest = tunnels.iter().filter_map(difference).min();
    match nearest {
        None => {
            Finding::ok(check, "The clock is after this program was made; there is none to compare it with")
        }
        Some(apart) if apart >= WILD => Finding::fail(
            check,
            format!("The clock is wrong: a tunnel service's differs by {}", words(apart)),
            "set the clock",
        )
        .with(SET),
        Some(apart) if apart >= NOTICED => Finding::warn(
            check,
            format!("The clock is not right: a tunnel service's differs by {}", words(apart)),
            "set the clock",
        )
        .with(SET),
        Some(_) => Finding::ok(check, "The clock is right, by that of a tunnel service"),
    }
}

fn difference(tunnel: &Tunnel) -> Option<Duration> {
    let Reached::Answered { date: Some(date), at, .. } = tunnel.reached else { return None };
    Some(apart(date, at))
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

/// In the largest unit that fits twice.
fn words(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn at(time: Duration) -> SystemTime {
        SystemTime::UNIX_EPOCH + time
    }

    fn clock(program: Option<Duration>) -> Clock {
        Clock { now: at(NOW), program: program.map(at) }
    }

    fn service(date: Option<Duration>) -> Tunnel {
        let reached = Reached::Answered { status: 404, date: date.map(at), at: at(NOW) };
        Tunnel { host: "cable.example".to_owned(), reached }
    }

    #[test]
    fn the_program_is_older_than_the_clock() {
        assert_eq!(finding(&clock(None), &[]).status, Status::Ok);
        assert_eq!(finding(&clock(Some(NOW - WILD)), &[]).status, Status::Ok);
        assert_eq!(finding(&clock(Some(NOW + WILD)), &[]).status, Status::Ok);
        let later = clock(Some(NOW + WILD + Duration::from_secs(1)));
        assert_eq!(finding(&later, &[service(Some(NOW))]).status, Status::Fail);
    }

    #[test]
    fn a_service_tells_the_time() {
        let of = |date| finding(&clock(None), &[service(Some(date))]);
        assert_eq!(of(NOW).status, Status::Ok);
        for date in [NOW + NOTICED, NOW - NOTICED] {
            assert_eq!(of(date).status, Status::Warn);
        }
        for date in [NOW + WILD, NOW - WILD, Duration::ZERO] {
            assert_eq!(of(date).status, Status::Fail);
        }
        assert!(of(NOW - 3 * WILD).statement.ends_with("3 days"));
        assert!(of(NOW + NOTICED).statement.ends_with("5 minutes"));
        assert!(of(NOW + WILD).statement.ends_with("24 hours"));
    }

    #[test]
    fn the_best_of_two_is_believed_and_silence_is_no_time() {
        let two = [service(Some(NOW - WILD)), service(Some(NOW))];
        assert_eq!(finding(&clock(None), &two).status, Status::Ok);
        let silent = finding(&clock(None), &[service(None)]);
        assert!(silent.statement.contains("none to compare"));
    }
}
