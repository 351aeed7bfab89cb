//! How the simulated air treats packets.

use std::time::Duration;

use rand_core::Rng;
use thiserror::Error;

use super::dice::up_to;
use crate::PayloadLimit;

/// A probability: a number from 0 to 1, both included.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

/// The number is not a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a probability is a number from 0 to 1")]
pub struct NotAProbability;

impl Probability {
    /// It does not happen.
    pub const NEVER: Self = Self(0.0);
    /// It happens each time.
    pub const ALWAYS: Self = Self(1.0);

    /// A probability from a number.
    ///
    /// # Errors
    /// [`NotAProbability`] for numbers below 0 or above 1, and for what is not a number.
    pub fn new(value: f64) -> Result<Self, NotAProbability> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAProbability) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// How an [`Air`](super::Air) treats packets. The default is an ideal air: nothing is lost, late or repeated.
///
/// Times are rounded down to whole milliseconds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AirOptions {
    /// The time between two repetitions of an advert, to which each adds a random 0 to 10 ms as Bluetooth
    /// demands. 100 ms by default; values outside Bluetooth's 20 ms to 10.24 s are moved to the nearer end.
    pub interval: Duration,
    /// How likely a packet does not reach a scan. Each scan in range has its own luck.
    pub loss: Probability,
    /// How likely a packet that reaches a scan reaches it twice.
    pub duplication: Probability,
    /// How likely a scan is handed an advert of an earlier session again: one that its device heard before and
    /// that has been withdrawn since. The dice are thrown for each advert in the device's memory when a scan
    /// starts, and once for each packet that is sent in its range.
    pub stale: Probability,
    /// The least time from sending a packet until a scan reports it. Zero by default.
    pub delay: Duration,
    /// A random time up to this is added to the delay of each packet, so that packets overtake each other once it
    /// exceeds the interval. Zero by default.
    pub jitter: Duration,
    /// How much an advert can hold. [`PayloadLimit::LEGACY`] by default.
    pub payload: PayloadLimit,
    /// The largest packet in bytes that a device takes on a connection. 672 by default, as on Linux; values outside
    /// Bluetooth's 23 to 65,535 are moved to the nearer end.
    pub mtu: usize,
}

impl Default for AirOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(100),
            loss: Probability::NEVER,
            duplication: Probability::NEVER,
            stale: Probability::NEVER,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            payload: PayloadLimit::LEGACY,
            mtu: 672,
        }
    }
}

/// The options in the air's own unit, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) interval: u64,
    pub(crate) loss: Probability,
    pub(crate) duplication: Probability,
    pub(crate) stale: Probability,
    delay: u64,
    jitter: u64,
}

impl Timing {
    /// The random part of the time between two repetitions (Bluetooth Core Specification, volume 6, part B,
    /// section 4.4.2.2).
    pub(crate) const ADVERT_DELAY: u64 = 10;
    const SHORTEST_INTERVAL: u64 = 20;
    const LONGEST_INTERVAL: u64 = 10_240;

    /// The time in which a device hears that the other one has disconnected.
    pub(crate) fn delay_of_news(&self) -> u64 {
        self.delay
    }

    /// The time one packet takes.
    pub(crate) fn delay(&self, rng: &mut impl Rng) -> u64 {
        self.delay.saturating_add(up_to(rng, self.jitter))
    }
}

impl From<&AirOptions> for Timing {
    fn from(options: &AirOptions) -> Self {
        Self {
            interval: millis(options.interval).clamp(Self::SHORTEST_INTERVAL, Self::LONGEST_INTERVAL),
            loss: options.loss,
            duplication: options.duplication,
            stale: options.stale,
            delay: millis(options.delay),
            jitter: millis(options.jitter),
        }
    }
}

/// Whole milliseconds. Half a billion years and more count as that.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_from_zero_to_one_are_probabilities() {
        for value in [0.0, -0.0, 0.25, 1.0, f64::MIN_POSITIVE] {
            assert_eq!(Probability::new(value).expect("valid").get(), value);
        }
        for value in [-0.1, 1.000_001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Probability::new(value), Err(NotAProbability));
        }
    }

    #[test]
    fn the_interval_stays_within_what_bluetooth_allows() {
        let interval = |time| {
            let options = AirOptions { interval: time, ..AirOptions::default() };
            Timing::from(&options).interval
        };
        assert_eq!(interval(Duration::ZERO), 20);
        assert_eq!(interval(Duration::from_millis(100)), 100);
        assert_eq!(interval(Duration::MAX), 10_240);
    }
}
