//! Figures next to their bounds.

use std::{fmt, time::Duration};

/// What was measured.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The most it may be; nothing if it is only told.
    pub(crate) bound: Option<f64>,
}

impl Figure {
    pub(crate) fn is_within(&self) -> bool {
        self.bound.is_none_or(|bound| self.value <= bound)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, bound } = self;
        write!(f, "{name:<58} {value:>9.2} {unit}")?;
        match bound {
            Some(bound) => write!(f, "  (at most {bound}: {})", if self.is_within() { "yes" } else { "NO" }),
            None => Ok(()),
        }
    }
}

/// The median and the 95th percentile of times, in milliseconds; the bound is for both.
pub(crate) fn of_times(name: &str, mut times: Vec<Duration>, bound: f64) -> [Figure; 2] {
    times.sort();
    let at = |percent: usize| {
        let rank = times.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
        times.get(rank).copied().unwrap_or(Duration::MAX).as_secs_f64() * 1000.0
    };
    let figure =
        |what, value| Figure { name: format!("{name}, {what}"), value, unit: "ms", bound: Some(bound) };
    [figure("median", at(50)), figure("95 % of them", at(95))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = (1..=20).rev().map(Duration::from_millis).collect();
        let [median, most] = of_times("x", times, 15.0);
        assert_eq!((median.value, most.value), (10.0, 19.0));
        assert_eq!((median.is_within(), most.is_within()), (true, false));
        assert!(most.to_string().ends_with("19.00 ms  (at most 15: NO)"), "{most}");
        assert!(!of_times("x", Vec::new(), 1e9)[0].is_within(), "no times are no success");
    }
}
