//! Reports of 64 bytes, and the packets that they are (CTAP 2.1 section 11.2.4).

use std::fmt;

/// Bytes of a report in either direction.
pub const REPORT_SIZE: usize = 64;
/// Bytes of the longest message: one initialization packet and 128 continuation packets.
pub const MAX_MESSAGE: usize = INIT_DATA + 128 * CONTINUATION_DATA;
/// Message bytes in an initialization packet.
pub(crate) const INIT_DATA: usize = REPORT_SIZE - 7;
/// Message bytes in a continuation packet.
pub(crate) const CONTINUATION_DATA: usize = REPORT_SIZE - 5;
/// Set in the byte of a command, clear in a sequence number.
const COMMAND_BIT: u8 = 0x80;

/// What a device says of itself to be taken for a FIDO security key: usage page 0xF1D0, usage 1, reports of 64 bytes in
/// and out without numbers (CTAP 2.1 section 11.2.8.2).
pub const REPORT_DESCRIPTOR: [u8; 34] = [
    0x06, 0xd0, 0xf1, // usage page: FIDO alliance
    0x09, 0x01, // usage: CTAPHID authenticator
    0xa1, 0x01, // collection: application
    0x09, 0x20, // usage: data in
    0x15, 0x00, // logical minimum: 0
    0x26, 0xff, 0x00, // logical maximum: 255
    0x75, 0x08, // report size: 8 bits
    0x95, 0x40, // report count: 64
    0x81, 0x02, // input: data, variable, absolute
    0x09, 0x21, // usage: data out
    0x15, 0x00, // logical minimum: 0
    0x26, 0xff, 0x00, // logical maximum: 255
    0x75, 0x08, // report size: 8 bits
    0x95, 0x40, // report count: 64
    0x91, 0x02, // output: data, variable, absolute
    0xc0, // end of collection
];

/// One report. `Debug` shows its channel and kind only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Report(pub [u8; REPORT_SIZE]);

/// The name of a program's conversation with the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

impl ChannelId {
    /// Where channels are asked for.
    pub const BROADCAST: Self = Self(u32::MAX);
}

/// A report, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet<'r> {
    /// The first of a message; `data` may be padded.
    Init { channel: ChannelId, command: u8, length: usize, data: &'r [u8] },
    /// A further one.
    Continuation { channel: ChannelId, sequence: u8, data: &'r [u8] },
}

impl Report {
    pub(crate) fn packet(&self) -> Packet<'_> {
        let [c0, c1, c2, c3, kind, after @ ..] = &self.0;
        let channel = ChannelId(u32::from_be_bytes([*c0, *c1, *c2, *c3]));
        if kind & COMMAND_BIT == 0 {
            return Packet::Continuation { channel, sequence: *kind, data: after };
        }
        let [high, low, data @ ..] = after;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        Packet::Init { channel, command: kind & !COMMAND_BIT, length, data }
    }

    /// The packet with this head, filled up with zeros.
    fn build(channel: ChannelId, head: &[u8], data: &[u8]) -> Self {
        let mut report = [0; REPORT_SIZE];
        let bytes =
            channel.0.to_be_bytes().into_iter().chain(head.iter().copied()).chain(data.iter().copied());
        report.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Self(report)
    }
}

/// Cuts a message into reports. It has at most [`MAX_MESSAGE`] bytes; what is longer is cut off.
pub(crate) fn fragments(channel: ChannelId, command: u8, message: &[u8]) -> impl Iterator<Item = Report> {
    let message = message.get(..MAX_MESSAGE).unwrap_or(message);
    let (first, rest) = message.split_at(INIT_DATA.min(message.len()));
    let [high, low] = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let init = Report::build(channel, &[command | COMMAND_BIT, high, low], first);
    let further = rest
        .chunks(CONTINUATION_DATA)
        .zip(0..=0x7f)
        .map(move |(chunk, sequence): (_, u8)| Report::build(channel, &[sequence], chunk));
    std::iter::once(init).chain(further)
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.packet() {
            Packet::Init { channel, command, length, .. } => {
                write!(f, "Report({:#x}, command {command:#04x}, {length} bytes)", channel.0)
            }
            Packet::Continuation { channel, sequence, .. } => {
                write!(f, "Report({:#x}, continuation {sequence})", channel.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_message_is_that_of_the_standard() {
        assert_eq!(MAX_MESSAGE, 7609);
        assert_eq!(fragments(ChannelId(1), 1, &[7; MAX_MESSAGE]).count(), 129);
        assert_eq!(fragments(ChannelId(1), 1, &[7; MAX_MESSAGE + 1]).count(), 129);
        assert_eq!(fragments(ChannelId(1), 1, &[]).count(), 1);
    }

    #[test]
    fn debug_shows_no_contents() {
        let report = fragments(ChannelId(9), 0x10, b"secret").next().unwrap();
        assert_eq!(format!("{report:?}"), "Report(0x9, command 0x10, 6 bytes)");
    }

    proptest! {
        #[test]
        fn what_is_cut_can_be_put_together(
            message in prop::collection::vec(any::<u8>(), 0..=MAX_MESSAGE),
            command in 0_u8..0x80,
        ) {
            let mut joined = Vec::new();
            for (index, report) in fragments(ChannelId(3), command, &message).enumerate() {
                match report.packet() {
                    Packet::Init { channel, command: said, length, data } => {
                        prop_assert_eq!((index, channel, said, length), (0, ChannelId(3), command, message.len()));
                        joined.extend_from_slice(data);
                    }
                    Packet::Continuation { channel, sequence, data } => {
                        prop_assert_eq!((channel, usize::from(sequence)), (ChannelId(3), index - 1));
                        joined.extend_from_slice(data);
                    }
                }
            }
            prop_assert!(joined.len() < message.len() + REPORT_SIZE);
            joined.truncate(message.len());
            prop_assert_eq!(joined, message);
        }
    }
}
