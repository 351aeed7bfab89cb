//! Deadlines that cannot overflow.

use core::time::Duration;
use std::time::Instant;

/// Far enough away to be never, near enough for every clock.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The moment `after` from `now`. Callers may mean "never" by a duration that no clock can add; a year is as good.
pub(crate) fn deadline(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).or_else(|| now.checked_add(NEVER)).unwrap_or(now)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have a clock")]
mod tests {
    use super::*;

    #[test]
    fn no_duration_overflows() {
        let now = Instant::now();
        assert_eq!(deadline(now, Duration::from_secs(5)), now + Duration::from_secs(5));
        assert_eq!(deadline(now, Duration::MAX), now + NEVER);
    }
}
