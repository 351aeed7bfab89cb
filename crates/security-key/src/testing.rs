//! Programs that talk CTAPHID, for tests.

pub(crate) mod requests;

use crate::hid::{ChannelId, REPORT_SIZE, Report, fragments};

pub(crate) const PING: u8 = 0x01;
pub(crate) const MSG: u8 = 0x03;
pub(crate) const LOCK: u8 = 0x04;
pub(crate) const INIT: u8 = 0x06;
pub(crate) const WINK: u8 = 0x08;
pub(crate) const CBOR: u8 = 0x10;
pub(crate) const CANCEL: u8 = 0x11;
pub(crate) const KEEPALIVE: u8 = 0x3b;
pub(crate) const ERROR: u8 = 0x3f;

/// A message that came back: channel, command, contents.
pub(crate) type Heard = (ChannelId, u8, Vec<u8>);

/// A message as the reports that it takes.
pub(crate) fn message(channel: ChannelId, command: u8, contents: &[u8]) -> Vec<Report> {
    fragments(channel, command, contents).collect()
}

/// A report with any head.
pub(crate) fn raw(channel: ChannelId, head: &[u8]) -> Report {
    let mut bytes = [0; REPORT_SIZE];
    bytes[..4].copy_from_slice(&channel.0.to_be_bytes());
    bytes[4..4 + head.len()].copy_from_slice(head);
    Report(bytes)
}

/// Puts messages together, each of whose reports come one after the other.
pub(crate) fn hear(reports: impl IntoIterator<Item = Report>) -> Vec<Heard> {
    let mut heard: Vec<(Heard, usize)> = Vec::new();
    for Report(bytes) in reports {
        let channel = ChannelId(u32::from_be_bytes(bytes[..4].try_into().unwrap()));
        if bytes[4] & 0x80 != 0 {
            let length = usize::from(u16::from_be_bytes([bytes[5], bytes[6]]));
            heard.push(((channel, bytes[4] & 0x7f, bytes[7..].to_vec()), length));
        } else {
            let ((begun, _, contents), length) = heard.last_mut().expect("a first packet");
            assert_eq!(*begun, channel, "nothing comes in between");
            assert!(contents.len() < *length, "nothing comes too much");
            assert_eq!(usize::from(bytes[4]), (contents.len() - 57) / 59, "in order");
            contents.extend_from_slice(&bytes[5..]);
        }
    }
    let cut = |((channel, command, mut contents), length): (Heard, usize)| {
        assert!(contents.len() >= length, "it is complete");
        contents.truncate(length);
        (channel, command, contents)
    };
    heard.into_iter().map(cut).collect()
}
