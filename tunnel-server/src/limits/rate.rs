//! How often something may happen: a token bucket in one instant.

use std::time::{Duration, Instant};

/// How often something may happen: `burst` times at once, and `per_minute` times a minute on the whole.
///
/// The default lets nothing through, as does any rate in which one number is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Times per minute.
    pub per_minute: u32,
    /// Times at once, after a long enough rest.
    pub burst: u32,
}

impl Rate {
    /// As often as anybody likes.
    pub const UNLIMITED: Self = Self { per_minute: u32::MAX, burst: u32::MAX };

    /// So many times per minute, and as many at once.
    pub const fn per_minute(times: u32) -> Self {
        Self { per_minute: times, burst: times }
    }

    /// The time in which one more becomes due.
    fn interval(self) -> Option<Duration> {
        Duration::from_secs(60).checked_div(self.per_minute)
    }
}

/// What is left of a rate. Full at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bucket {
    /// When it is full again; none if it has never been taken from.
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes one, or says how long it is until there is one to take.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        if rate == Rate::UNLIMITED {
            return Ok(());
        }
        let Some(interval) = rate.interval().filter(|_| rate.burst > 0) else {
            return Err(Duration::from_secs(60));
        };
        let empty = interval.saturating_mul(rate.burst);
        // An earlier rate may have emptied it further than this one can.
        let missing = self.missing(now).min(empty);
        let taken = missing.saturating_add(interval);
        if let Some(wait) = taken.checked_sub(empty).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        self.full_at = now.checked_add(taken);
        Ok(())
    }

    /// Whether it is as good as new.
    pub(crate) fn is_full(self, now: Instant) -> bool {
        self.missing(now).is_zero()
    }

    fn missing(self, now: Instant) -> Duration {
        self.full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_burst_then_the_steady_rate() {
        let rate = Rate { per_minute: 6, burst: 3 };
        let start = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, start), Ok(()));
        }
        assert_eq!(bucket.take(rate, start), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(rate, start + Duration::from_secs(4)), Err(Duration::from_secs(6)));
        assert_eq!(bucket.take(rate, start + Duration::from_secs(10)), Ok(()));
        assert!(!bucket.is_full(start + Duration::from_secs(39)));
        assert!(bucket.is_full(start + Duration::from_secs(40)));
    }

    #[test]
    fn zero_lets_nothing_through_and_unlimited_everything() {
        let now = Instant::now();
        for rate in [Rate::default(), Rate { per_minute: 5, burst: 0 }, Rate { per_minute: 0, burst: 5 }] {
            assert!(Bucket::default().take(rate, now).is_err());
        }
        let mut bucket = Bucket::default();
        for _ in 0..100_000 {
            assert_eq!(bucket.take(Rate::UNLIMITED, now), Ok(()));
        }
        assert!(bucket.is_full(now));
    }

    #[test]
    fn a_new_rate_does_not_wait_for_the_old_one() {
        let now = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..60 {
            bucket.take(Rate { per_minute: 1, burst: 60 }, now).unwrap();
        }
        assert_eq!(bucket.take(Rate::per_minute(60), now), Err(Duration::from_secs(1)));
    }

    proptest! {
        /// Against the textbook: a number of tokens that grows with time up to the burst.
        #[test]
        fn behaves_like_counted_tokens(
            per_minute in 1..200_u32,
            burst in 1..20_u32,
            waits in vec(0..5_000_u64, 1..100),
        ) {
            let (rate, start) = (Rate { per_minute, burst }, Instant::now());
            let mut bucket = Bucket::default();
            // In nanoseconds of waiting that are saved up.
            let interval = 60_000_000_000 / u64::from(per_minute);
            let (mut now, mut saved) = (0, interval * u64::from(burst));
            for wait in waits {
                now += wait * 1_000_000;
                saved = (saved + wait * 1_000_000).min(interval * u64::from(burst));
                let answer = bucket.take(rate, start + Duration::from_nanos(now));
                if saved >= interval {
                    saved -= interval;
                    prop_assert_eq!(answer, Ok(()));
                } else {
                    prop_assert_eq!(answer, Err(Duration::from_nanos(interval - saved)));
                }
            }
        }
    }
}
