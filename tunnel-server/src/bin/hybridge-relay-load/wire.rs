//! Messages as they travel: in websocket frames through a tunnel service, behind their length through the floor.

use std::ops::Range;

use crate::error::Error;

/// How messages are told apart on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// RFC 6455: masked frames to the service, unmasked ones back.
    Websocket,
    /// Four bytes of length, then the message.
    Raw,
}

/// Everything is masked with this, so that a frame can be made once and sent many times.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x0f, 0x96];

/// A message that is ready to be sent, and how it is to arrive.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) sent: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    /// A message of `size` bytes that no other `number` shares.
    pub(crate) fn new(wire: Wire, size: usize, number: u32) -> Self {
        let pattern = (0..=250_u8).map(|byte| byte.wrapping_mul(7)).cycle();
        let payload: Vec<u8> = number.to_be_bytes().into_iter().chain(pattern).take(size).collect();
        let sent = match wire {
            Wire::Websocket => frame(0x82, &payload),
            Wire::Raw => {
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                [&length.to_be_bytes(), payload.as_slice()].concat()
            }
        };
        Self { sent, payload }
    }
}

/// A masked frame; `first` is its first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => frame.push(0x80 | short),
        (_, Ok(middle)) => {
            frame.push(0x80 | 126);
            frame.extend(middle.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend(u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What a frame from the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A part of a message; `last` if it ends it.
    Data {
        last: bool,
    },
    Ping,
    Pong,
    Close,
}

/// Where in the bytes a whole frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) payload: Range<usize>,
}

impl Frame {
    /// Finds the frame at the front of `bytes`; none if it is not whole yet.
    pub(crate) fn find(wire: Wire, bytes: &[u8]) -> Result<Option<Self>, Error> {
        let found = match wire {
            Wire::Websocket => websocket(bytes)?,
            Wire::Raw => bytes
                .first_chunk::<4>()
                .map(|length| (Kind::Data { last: true }, 4, u64::from(u32::from_be_bytes(*length)))),
        };
        let Some((kind, start, length)) = found else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Error::Framing)?;
        let end = length.checked_add(start).ok_or(Error::Framing)?;
        Ok((end <= bytes.len()).then_some(Self { kind, payload: start..end }))
    }
}

/// The kind of an unmasked frame, where its payload starts, and how long it is.
fn websocket(bytes: &[u8]) -> Result<Option<(Kind, usize, u64)>, Error> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let last = first & 0x80 != 0;
    let kind = match first & 0x7f {
        0x0 | 0x2 => Kind::Data { last },
        0x8 => Kind::Close,
        0x9 => Kind::Ping,
        0xa => Kind::Pong,
        _ => return Err(Error::Framing),
    };
    Ok(match second {
        126 => rest.first_chunk().map(|length| (kind, 4, u16::from_be_bytes(*length).into())),
        127 => rest.first_chunk().map(|length| (kind, 10, u64::from_be_bytes(*length))),
        short @ ..126 => Some((kind, 2, (*short).into())),
        _ => return Err(Error::Framing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_every_length_form_carry_their_number() {
        for size in [4, 125, 126, 65_535, 65_536] {
            let message = Message::new(Wire::Websocket, size, 0x0102_0304);
            assert_eq!(message.payload.len(), size);
            assert_eq!(message.payload[..4], [1, 2, 3, 4]);
            let head = match size {
                ..126 => 2,
                126..65_536 => 4,
                _ => 10,
            };
            assert_eq!(message.sent.len(), head + 4 + size);
            let unmasked = message.sent[head + 4..].iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b);
            assert!(unmasked.eq(message.payload));
        }
    }

    #[test]
    fn frames_are_found_when_they_are_whole() {
        let bytes = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        let whole = Frame { kind: Kind::Data { last: true }, payload: 4..260 };
        assert_eq!(Frame::find(Wire::Websocket, &bytes).unwrap(), Some(whole));
        assert!((0..260).all(|cut| Frame::find(Wire::Websocket, &bytes[..cut]).unwrap().is_none()));
        let close = Frame { kind: Kind::Close, payload: 2..4 };
        assert_eq!(Frame::find(Wire::Websocket, &[0x88, 2, 3, 0xe8, 9]).unwrap(), Some(close));
    }

    #[test]
    fn masked_and_unknown_frames_are_broken() {
        for head in [[0x82, 0x81], [0xc2, 1], [0x81, 1], [0x83, 1]] {
            assert!(matches!(Frame::find(Wire::Websocket, &head), Err(Error::Framing)));
        }
    }

    #[test]
    fn raw_messages_stand_behind_their_length() {
        let message = Message::new(Wire::Raw, 10, 1);
        let found = Frame::find(Wire::Raw, &message.sent).unwrap().unwrap();
        assert_eq!(message.sent[found.payload], message.payload);
        assert_eq!(Frame::find(Wire::Raw, &message.sent[..13]).unwrap(), None);
    }
}
