//! Medians, percentiles and straight lines.

use std::time::Duration;

/// The nearest number with a fraction.
pub(crate) fn float(number: u64) -> f64 {
    let low = u32::try_from(number & 0xffff_ffff).unwrap_or_default();
    let high = u32::try_from(number >> 32).unwrap_or_default();
    f64::from(high).mul_add(4_294_967_296.0, f64::from(low))
}

/// The middle value, or the mean of the two middle ones; none of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    match sorted.len() % 2 {
        0 => sorted.get(middle.checked_sub(1)?).map(|lower| f64::midpoint(*lower, upper)),
        _ => Some(upper),
    }
}

/// Times, to be asked for percentiles.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time within which `percent` of all are, in microseconds; none of nothing.
    pub(crate) fn percentile(&self, percent: u8) -> Option<f64> {
        let rank = self.0.len().checked_mul(percent.into())?.div_ceil(100);
        let time = self.0.get(rank.saturating_sub(1))?;
        Some(time.as_secs_f64() * 1e6)
    }
}

/// The straight line that lies closest to some points.
pub(crate) struct Line {
    pub(crate) slope: f64,
    /// How far the farthest point is from the line, as a part of the line's whole rise.
    pub(crate) deviation: f64,
}

/// Least squares; none for fewer than two different places.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<Line> {
    let count = float(u64::try_from(points.len()).ok()?);
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
    if !spread.is_normal() {
        return None;
    }
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let off = |(x, y): &(f64, f64)| (y - slope.mul_add(x - mean_x, mean_y)).abs();
    let farthest = points.iter().map(off).fold(0.0, f64::max);
    let least = points.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
    let greatest = points.iter().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
    Some(Line { slope, deviation: farthest / (slope * (greatest - least)).abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times = Times::new((1..=200).rev().map(Duration::from_micros).collect());
        assert_eq!(times.percentile(50).map(f64::round), Some(100.0));
        assert_eq!(times.percentile(99).map(f64::round), Some(198.0));
        assert_eq!(times.percentile(100).map(f64::round), Some(200.0));
        assert_eq!(Times::default().percentile(50), None);
    }

    #[test]
    fn a_line_through_points_on_it_has_no_deviation() {
        let exact = line(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]).unwrap();
        assert!((exact.slope - 2.0).abs() < 1e-9 && exact.deviation < 1e-9);
        let bent = line(&[(0.0, 0.0), (1.0, 3.0), (2.0, 4.0)]).unwrap();
        assert!(bent.deviation > 0.1);
        assert!(line(&[(1.0, 1.0)]).is_none());
    }

    #[test]
    fn floats_of_large_numbers() {
        assert_eq!(float(3 << 33), 3.0 * 8_589_934_592.0);
    }
}
