//! What a peer's bytes say by RFC 6455, read in one go and without a thought to speed.

/// The bytes of one peer, understood.
#[derive(Debug, Default)]
pub struct Model {
    /// Its data frames as the other peer has to get them: the same heads without masks, the payloads plain. The last
    /// one may be cut.
    pub data: Vec<u8>,
    /// The payloads of its pings.
    pub pings: Vec<Vec<u8>>,
    /// How it ends the tunnel.
    pub end: End,
}

/// How a peer's bytes end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Not at all, or in the middle of a frame.
    #[default]
    Open,
    /// With a close frame, which may have a code.
    Closed(Option<u16>),
    /// With a violation, which is answered with this code.
    Broken(u16),
}

/// A frame's head and the place where its payload starts; none where it is cut.
struct Head {
    fin: bool,
    opcode: u8,
    length: u64,
    mask: Option<[u8; 4]>,
    /// Bytes before the mask.
    plain: usize,
    size: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let rest = bytes.get(2..)?;
        let (length, extended) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            short => (u64::from(short), 0),
        };
        let plain = 2 + extended;
        let mask = if second & 0x80 == 0 { None } else { Some(*bytes.get(plain..)?.first_chunk()?) };
        let size = plain + if mask.is_some() { 4 } else { 0 };
        Some(Self { fin: first & 0x80 != 0, opcode: first & 0x0f, length, mask, plain, size })
    }
}

/// What the first two bytes of a frame from a peer already break.
fn broken(bytes: &[u8]) -> Option<u16> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let opcode = first & 0x0f;
    let control = opcode >= 8;
    if first & 0x70 != 0 || !matches!(opcode, 0..=2 | 8..=10) {
        return Some(1002);
    }
    if opcode == 1 {
        return Some(1003);
    }
    (second & 0x80 == 0 || control && (first & 0x80 == 0 || second & 0x7f > 125)).then_some(1002)
}

impl Model {
    /// Understands what a peer sends, in which messages may have `limit` bytes.
    pub fn of(mut bytes: &[u8], limit: u64) -> Self {
        let mut model = Self::default();
        // The length so far of the message that is under way.
        let mut message: Option<u64> = None;
        loop {
            if let Some(code) = broken(bytes) {
                model.end = End::Broken(code);
                return model;
            }
            let Some(head) = Head::read(bytes) else { return model };
            let (whole, behind) = bytes.split_at(head.size);
            let present =
                usize::try_from(head.length).map_or(behind.len(), |length| length.min(behind.len()));
            let mask = head.mask.unwrap_or_default();
            let payload: Vec<u8> =
                behind[..present].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            let cut = u64::try_from(present).is_ok_and(|present| present < head.length);
            if head.opcode >= 8 {
                if cut {
                    return model;
                }
                match head.opcode {
                    8 => {
                        model.end = closed(&payload);
                        return model;
                    }
                    9 => model.pings.push(payload),
                    _ => {}
                }
            } else {
                if (head.opcode == 0) != message.is_some() {
                    model.end = End::Broken(1002);
                    return model;
                }
                let so_far = message.unwrap_or(0).saturating_add(head.length);
                if so_far > limit {
                    model.end = End::Broken(1009);
                    return model;
                }
                message = (!head.fin).then_some(so_far);
                model.data.extend_from_slice(&whole[..head.plain]);
                let second = model.data.len() - head.plain + 1;
                model.data[second] &= 0x7f;
                model.data.extend(payload);
                if cut {
                    return model;
                }
            }
            bytes = &behind[present..];
        }
    }
}

/// How a close frame ends a tunnel.
fn closed(payload: &[u8]) -> End {
    match payload {
        [] => End::Closed(None),
        [_] => End::Broken(1002),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let valid = matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999);
            if valid && std::str::from_utf8(reason).is_ok() {
                End::Closed(Some(code))
            } else {
                End::Broken(1002)
            }
        }
    }
}

/// Checks what a peer received: well-formed unmasked frames, with all that `other` sent unless the tunnel ended before,
/// answers to its own pings, and a close frame of the right code as the last.
pub fn received(mut bytes: &[u8], other: &Model, own: &Model) {
    let (mut data, mut pings, mut close) = (Vec::new(), own.pings.iter(), None);
    let mut cut = false;
    while !bytes.is_empty() {
        assert!(close.is_none() && !cut, "something follows the end");
        assert!(bytes[0] & 0x70 == 0, "a reserved bit is set");
        let Some(head) = Head::read(bytes) else {
            panic!("a head is cut: {} bytes", bytes.len());
        };
        assert!(head.mask.is_none(), "a frame is masked");
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        let whole = head.size.saturating_add(length);
        cut = whole > bytes.len();
        let (frame, behind) = bytes.split_at(whole.min(bytes.len()));
        let payload = &frame[head.size..];
        match head.opcode {
            0 | 2 => data.extend_from_slice(frame),
            8 => close = Some(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            10 => assert!(pings.any(|ping| ping == payload), "a pong without a ping"),
            other => panic!("a frame with opcode {other}"),
        }
        assert!(head.opcode < 8 || !cut && head.fin && payload.len() <= 125, "a bad control frame");
        bytes = behind;
    }
    assert!(other.data.starts_with(&data), "what was received is not what was sent");
    match (own.end, other.end) {
        (End::Open, _) => assert_eq!(data.len(), other.data.len(), "something was not forwarded"),
        // A close frame that answers one, or says what was broken; unless it had no place within a frame.
        (End::Closed(code), End::Open) if !cut => assert_eq!(close, Some(code)),
        (End::Broken(code), End::Open) if !cut => assert_eq!(close, Some(Some(code))),
        _ => {}
    }
    if let (End::Open, End::Closed(Some(code)), false) = (own.end, other.end, cut) {
        assert_eq!(close, Some(Some(code)), "the close code is passed on");
    }
}
