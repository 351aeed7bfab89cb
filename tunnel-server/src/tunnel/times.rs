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
    /// For a tunnel that is over at `ends`, or a little after nothing has come in for `idle`.
    pub(crate) fn new(ends: Instant, idle: Duration) -> Self {
        let longer = Instant::now().checked_add(idle).is_none_or(|over| over >= ends);
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
    pub(super) fn next_look(&self) -> Instant {
        match self.step {
            0 => self.ends,
            step => self.ends.min(Instant::now() + Duration::from_millis(step.into())),
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
