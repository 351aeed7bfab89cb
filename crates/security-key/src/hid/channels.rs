//! Which channels there are. A program that is done does not say so, so the one that was silent for longest makes room.

use super::report::ChannelId;

/// How many channels there are at most.
pub const MAX_CHANNELS: usize = 64;

/// The channels that were given out, the one that was used last at the end.
#[derive(Debug, Default)]
pub(super) struct Channels {
    used: Vec<ChannelId>,
    last: u32,
}

impl Channels {
    /// Gives out a channel that has not been given out before. `busy` keeps its place.
    pub(super) fn allocate(&mut self, busy: Option<ChannelId>) -> ChannelId {
        if self.used.len() >= MAX_CHANNELS {
            let oldest = self.used.iter().position(|channel| Some(*channel) != busy);
            self.used.remove(oldest.unwrap_or_default());
        }
        // After four thousand million channels the first numbers come again; 0 and the broadcast are never used.
        self.last = match self.last.wrapping_add(1) {
            0 | u32::MAX => 1,
            next => next,
        };
        let channel = ChannelId(self.last);
        self.used.push(channel);
        channel
    }

    /// Whether the channel was given out; notes that it is used.
    pub(super) fn touch(&mut self, channel: ChannelId) -> bool {
        let Some(index) = self.used.iter().position(|used| *used == channel) else { return false };
        self.used.remove(index);
        self.used.push(channel);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silent_make_room_and_the_busy_do_not() {
        let mut channels = Channels::default();
        let first = channels.allocate(None);
        let second = channels.allocate(None);
        let third = channels.allocate(None);
        assert!(channels.touch(second));
        for _ in 0..MAX_CHANNELS - 2 {
            channels.allocate(Some(first));
        }
        assert!(channels.touch(first), "it is busy");
        assert!(!channels.touch(third), "it was silent for longest");
        assert!(channels.touch(second));
        assert_eq!(channels.used.len(), MAX_CHANNELS);
    }

    #[test]
    fn numbers_are_never_0_or_the_broadcast() {
        let mut channels = Channels { last: u32::MAX - 2, ..Channels::default() };
        assert_eq!(channels.allocate(None), ChannelId(u32::MAX - 1));
        assert_eq!(channels.allocate(None), ChannelId(1));
        assert!(!channels.touch(ChannelId(0)) && !channels.touch(ChannelId::BROADCAST));
    }
}
