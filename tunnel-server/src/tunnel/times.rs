//! When a joined tunnel is over because of the time.

use std::time::Duration;

use tokio::time::Instant;

use super::End;

/// How many looks at a tunnel find nothing new before it is idle.
const LOOKS: u8 = 4;

/// The times of a joined tunnel.
///
/// What comes in sets no timer and reads no clock. Instead the tunnel is looked at now and then, and a number that
/// changes with what comes in says whether there was anything since the last look.
#[derive(Debug)]
pub(crate) struct Times {
    ends: Instant,
    /// The time between two looks in milliseconds; 0 where there is nothing to look for.
    step: u32,
    /// What there was at the last look.
    mark: u32,
    /// How many looks in a row have found nothing new.
    quiet: u8,
}

impl Times {
    /// For a tunnel that is over at `ends`, or when nothing has come in for `idle`, and up to a quarter longer.
    pub(crate) fn new(ends: Instant, idle: Duration, now: Instant) -> Self {
        let longer = now.checked_add(idle).is_none_or(|over| over >= ends);
        let step = idle.as_millis().div_ceil(LOOKS.into()).clamp(1, u32::MAX.into());
        Self {
            ends,
            step: if longer { 0 } else { u32::try_from(step).unwrap_or(u32::MAX) },
            mark: 0,
            quiet: 0,
        }
    }

    /// Notes what there is when the tunnel is joined.
    pub(super) fn begin(&mut self, mark: u64) {
        self.mark = short(mark);
    }

    /// When to look at the tunnel next.
    pub(super) fn next_look(&self, now: Instant) -> Instant {
        match self.step {
            0 => self.ends,
            step => self.ends.min(now + Duration::from_millis(step.into())),
        }
    }

    /// Looks at the tunnel; its end where it is over.
    pub(super) fn look(&mut self, now: Instant, mark: u64) -> Option<End> {
        if now >= self.ends {
            return Some(End::Expired);
        }
        let mark = short(mark);
        self.quiet = if mark == self.mark { self.quiet.saturating_add(1) } else { 0 };
        self.mark = mark;
        (self.quiet >= LOOKS).then_some(End::Idle)
    }
}

/// The last bits of a mark, which change as often as all of them.
fn short(mark: u64) -> u32 {
    u32::try_from(mark & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Plays a tunnel from its joining at 0 in which something comes in at the given milliseconds. Gives its end.
    fn play(ends: u64, idle: u64, comes_in: &[u64]) -> (u64, End) {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut times = Times::new(at(ends), Duration::from_millis(idle), start);
        times.begin(7);
        let mut now = start;
        loop {
            now = times.next_look(now);
            let so_far = comes_in.iter().filter(|millis| at(**millis) <= now).count();
            if let Some(end) = times.look(now, 7 + u64::try_from(so_far).unwrap()) {
                return (u64::try_from((now - start).as_millis()).unwrap(), end);
            }
        }
    }

    #[test]
    fn nothing_at_all_is_idle_on_time() {
        assert_eq!(play(100_000, 40_000, &[]), (40_000, End::Idle));
        assert_eq!(play(100_000, 100_000, &[]), (100_000, End::Expired));
        assert_eq!(play(100_000, u64::MAX, &[]), (100_000, End::Expired));
        assert_eq!(play(1000, 0, &[]), (4, End::Idle));
    }

    #[test]
    fn it_takes_little_room() {
        assert!(size_of::<Times>() <= 32);
    }

    proptest! {
        #[test]
        fn a_tunnel_is_idle_after_its_last_sign_of_life_and_not_before(
            ends in 1..200_000_u64,
            quarter in 1..20_000_u64,
            gaps in vec(1..60_000_u64, 0..20),
        ) {
            let idle = 4 * quarter;
            let mut comes_in = Vec::new();
            for gap in gaps {
                comes_in.push(comes_in.last().unwrap_or(&0) + gap);
            }
            let (over, end) = play(ends, idle, &comes_in);
            let last = comes_in.iter().copied().filter(|millis| *millis <= over).max().unwrap_or(0);
            match end {
                End::Expired => prop_assert!(over == ends && over < last + idle + quarter),
                _ => prop_assert!((last + idle..=last + idle + quarter).contains(&over) && over < ends),
            }
        }
    }
}
