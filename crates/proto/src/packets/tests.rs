use proptest::prelude::*;

use super::*;
use crate::frame::{MAX_PLAINTEXT, Sealer, TrafficKey};

fn ends() -> (Sealer, Opener) {
    keyed([7; 32])
}

fn keyed(key: [u8; 32]) -> (Sealer, Opener) {
    let key = TrafficKey::from_bytes(&key);
    (Sealer::new(&key), Opener::new(&key))
}

const HANDSHAKE: handshake::Message = [4; handshake::MESSAGE_LENGTH];

/// A reader of this form behind the handshake message.
fn met(framing: Framing) -> PacketReader {
    let mut reader = PacketReader::new();
    reader.push(&framing.wrap(&HANDSHAKE));
    assert_eq!(reader.handshake_message(), Ok(Some(HANDSHAKE)));
    assert_eq!(reader.framing(), Some(framing));
    reader
}

fn framings() -> impl Strategy<Value = Framing> {
    prop_oneof![Just(Framing::CrLf), Just(Framing::Length)]
}

fn terminated(message: &[u8]) -> Vec<u8> {
    Framing::CrLf.wrap(message)
}

/// Pushes the packets one by one and reads everything after each.
fn read(opener: &mut Opener, packets: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, FrameError> {
    let (mut reader, mut messages) = (met(Framing::CrLf), Vec::new());
    for packet in packets {
        reader.push(packet);
        while let Some(message) = reader.open_frame(opener)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// Cuts bytes into packets: of the given sizes first, and then of the last one of them.
fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (mut rest, mut sizes, mut size) = (bytes, sizes.iter(), usize::MAX);
    let mut packets = Vec::new();
    while !rest.is_empty() {
        size = sizes.next().copied().unwrap_or(size).max(1);
        let (packet, behind) = rest.split_at(size.min(rest.len()));
        packets.push(packet.to_vec());
        rest = behind;
    }
    packets
}

/// How a peer marks the ends of its messages.
#[derive(Debug, Clone, Copy)]
enum Habit {
    /// CR LF in the same packet.
    Terminated,
    /// CR LF in a packet of its own.
    Apart,
    /// Not at all: one packet for each message.
    Bare,
}

fn habits() -> impl Strategy<Value = Habit> {
    prop_oneof![Just(Habit::Terminated), Just(Habit::Apart), Just(Habit::Bare)]
}

proptest! {
    /// The whole of a direction, from its first byte.
    #[test]
    fn messages_survive_any_cut_into_packets(
        framing in framings(),
        key in any::<[u8; 32]>(),
        handshake in proptest::collection::vec(any::<u8>(), handshake::MESSAGE_LENGTH - 1),
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..8),
        sizes in proptest::collection::vec(1..200_usize, 1..12),
    ) {
        let (mut sealer, mut opener) = keyed(key);
        let handshake = [&[4], handshake.as_slice()].concat();
        let mut stream = framing.wrap(&handshake);
        for message in &messages {
            stream.extend(framing.wrap(&sealer.seal(message).expect("fits")));
        }
        let (mut reader, mut met, mut received) = (PacketReader::new(), None, Vec::new());
        for packet in cut(&stream, &sizes) {
            reader.push(&packet);
            prop_assert_eq!(reader.framing(), Some(framing));
            met = match met {
                None => reader.handshake_message().expect("honest").map(Vec::from),
                met => met,
            };
            while met.is_some() && let Some(message) = reader.open_frame(&mut opener).expect("honest frames") {
                received.push(message);
            }
        }
        prop_assert_eq!(met, Some(handshake));
        prop_assert_eq!(received, messages);
    }

    /// Nothing that any stranger sends is waited for longer than its limits say, and all that is held is little.
    #[test]
    fn any_stream_ends_in_a_typed_error_or_waits_for_more(
        first in prop_oneof![Just(0_u8), Just(4), any::<u8>()],
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
    ) {
        let (_, mut opener) = ends();
        let (mut reader, mut met) = (PacketReader::new(), false);
        reader.push(&[first]);
        let form = reader.framing();
        for packet in packets {
            reader.push(&packet);
            prop_assert_eq!(reader.framing(), form);
            if !met {
                match reader.handshake_message() {
                    Ok(message) => met = message.is_some(),
                    Err(error) => {
                        prop_assert!(matches!(error, HandshakeError::Length(_)));
                        break;
                    }
                }
            }
            if met {
                match reader.open_frame(&mut opener) {
                    Ok(opened) => prop_assert_eq!(opened, None),
                    Err(_) => break,
                }
            }
        }
    }

    /// A length decides alone, before what it measures has come.
    #[test]
    fn a_length_is_judged_when_it_is_there(length in any::<u32>(), cuts in 1..5_usize) {
        let bytes = length.to_be_bytes();
        let claimed = usize::try_from(length).expect("32 bits");
        let (_, mut opener) = ends();
        let mut reader = met(Framing::Length);
        let mut outcome = Ok(None);
        for packet in bytes.chunks(cuts) {
            prop_assert_eq!(outcome, Ok(None));
            reader.push(packet);
            outcome = reader.open_frame(&mut opener);
        }
        let expected = match claimed {
            0..=TAG_LENGTH => Err(FrameError::TooShort(claimed)),
            _ if claimed > MAX_MESSAGE => Err(FrameError::TooLarge(claimed)),
            _ => Ok(None),
        };
        prop_assert_eq!(outcome, expected);
        prop_assert!(reader.buffer.capacity() < 1_024, "nothing is set aside for what a stranger promises");
    }

    #[test]
    fn every_habit_is_understood_also_when_it_changes(
        messages in proptest::collection::vec(
            (habits(), proptest::collection::vec(any::<u8>(), 0..400)), 1..8),
    ) {
        let (mut sealer, mut opener) = ends();
        let mut packets = Vec::new();
        for (habit, message) in &messages {
            let frame = sealer.seal(message).expect("fits");
            match habit {
                Habit::Terminated => packets.push(terminated(&frame)),
                Habit::Apart => packets.extend([frame, TERMINATOR.to_vec()]),
                Habit::Bare => packets.push(frame),
            }
        }
        let received = read(&mut opener, &packets).expect("honest frames");
        let sent: Vec<Vec<u8>> = messages.into_iter().map(|(_, message)| message).collect();
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn garbage_opens_nothing_and_costs_little(
        packets in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..300), 0..40),
    ) {
        let (_, mut opener) = ends();
        let mut reader = met(Framing::CrLf);
        for packet in &packets {
            reader.push(packet);
            match reader.open_frame(&mut opener) {
                Ok(opened) => prop_assert_eq!(opened, None),
                Err(error) => {
                    prop_assert_eq!(error, FrameError::Authentication);
                    break;
                }
            }
            prop_assert!(reader.tries <= MAX_TRIES);
        }
    }

    #[test]
    fn handshake_messages_are_the_first_81_bytes(
        mut message in proptest::collection::vec(any::<u8>(), 81),
        habit in habits(),
        sizes in proptest::collection::vec(1..100_usize, 1..4),
    ) {
        let (mut sealer, mut opener) = ends();
        message[0] = 4;
        let mut packets = cut(&message, &sizes);
        match habit {
            Habit::Terminated => packets.last_mut().expect("a packet").extend(TERMINATOR),
            Habit::Apart => packets.push(TERMINATOR.to_vec()),
            Habit::Bare => {}
        }
        packets.push(terminated(&sealer.seal(b"frame").expect("fits")));
        let (mut reader, mut read) = (PacketReader::new(), None);
        for packet in &packets {
            reader.push(packet);
            read = match read {
                None => reader.handshake_message().expect("honest").map(Vec::from),
                read => read,
            };
        }
        prop_assert_eq!(read, Some(message));
        prop_assert_eq!(reader.open_frame(&mut opener), Ok(Some(b"frame".to_vec())));
    }
}

#[test]
fn a_longer_handshake_message_is_none() {
    for behind in [&b"\n"[..], b"\r\r", b"\rx", b"frame\r\n"] {
        let mut reader = PacketReader::new();
        reader.push(&[&[4; 81][..], behind].concat());
        assert_eq!(reader.handshake_message(), Err(HandshakeError::Length(81 + behind.len())), "{behind:?}");
    }
}

#[test]
fn a_frame_may_hold_what_ends_it() {
    let (mut sealer, mut opener) = ends();
    let message = vec![0; 500_000];
    let frame = sealer.seal(&message).expect("fits");
    let inside = frame.windows(2).filter(|pair| *pair == TERMINATOR).count();
    assert!(inside >= 2, "CR LF occurs by chance");
    for size in [23, 512, 65_535] {
        let (_, mut again) = ends();
        let packets = cut(&terminated(&frame), &[size]);
        assert_eq!(read(&mut again, &packets), Ok(vec![message.clone()]), "packets of {size} bytes");
    }
    assert_eq!(read(&mut opener, &[terminated(&frame)]), Ok(vec![message]));
}

/// CR LF at the beginning may be what is left of the last message, and it may be the frame itself.
#[test]
fn a_frame_may_begin_with_what_ends_the_last_one() {
    let begins_so = |key: &[u8; 32]| {
        let mut sealer = keyed(*key).0;
        drop(sealer.seal(b"first"));
        sealer.seal(b"second").expect("fits").starts_with(&TERMINATOR)
    };
    let keys = (0_u32..).map(|number| core::array::from_fn(|at| number.to_be_bytes()[at % 4]));
    let key: [u8; 32] = keys.into_iter().find(begins_so).expect("one in 65,536");
    for apart in [false, true] {
        let (mut sealer, mut opener) = keyed(key);
        let mut packets = vec![sealer.seal(b"first").expect("fits")];
        packets.extend(apart.then(|| TERMINATOR.to_vec()));
        packets.push(terminated(&sealer.seal(b"second").expect("fits")));
        assert_eq!(read(&mut opener, &packets), Ok(vec![b"first".to_vec(), b"second".to_vec()]));
    }
}

/// A peer that marks no ends may send a frame that looks as if it did.
#[test]
fn a_frame_may_end_in_what_ends_it() {
    let ends_so = |key: &[u8; 32]| keyed(*key).0.seal(b"bare").expect("fits").ends_with(&TERMINATOR);
    let keys = (0_u32..).map(|number| core::array::from_fn(|at| number.to_be_bytes()[at % 4]));
    let key: [u8; 32] = keys.into_iter().find(ends_so).expect("one in 65,536");
    for apart in [false, true] {
        let (mut sealer, mut opener) = keyed(key);
        let mut packets = vec![sealer.seal(b"bare").expect("fits")];
        packets.extend(apart.then(|| TERMINATOR.to_vec()));
        packets.push(terminated(&sealer.seal(b"next").expect("fits")));
        assert_eq!(read(&mut opener, &packets), Ok(vec![b"bare".to_vec(), b"next".to_vec()]));
    }
}

#[test]
fn the_largest_message_fits_and_no_more() {
    let (mut sealer, mut opener) = ends();
    let message = vec![0; MAX_PLAINTEXT];
    let mut stream = terminated(&sealer.seal(&message).expect("fits"));
    assert_eq!(read(&mut opener, &cut(&stream, &[600])), Ok(vec![message]));

    stream.clear();
    stream.resize(MAX_MESSAGE + 5, 1);
    assert_eq!(read(&mut opener, &cut(&stream, &[600])), Err(FrameError::TooLarge(MAX_MESSAGE + 5)));
}

#[test]
fn endless_line_ends_are_given_up() {
    for packet in
        [b"\r\n".repeat(10_000), b"\r\n".to_vec(), b"\r".to_vec(), b"0123456789abcdef0\r\n".to_vec()]
    {
        let (_, mut opener) = ends();
        let mut reader = met(Framing::CrLf);
        let mut packets = 0;
        let outcome = loop {
            reader.push(&packet);
            packets += 1;
            match reader.open_frame(&mut opener) {
                Ok(None) => {}
                other => break other,
            }
        };
        match packet.as_slice() {
            b"\r" => assert_eq!(outcome, Err(FrameError::TooLarge(MAX_MESSAGE + 5))),
            _ => assert_eq!(outcome, Err(FrameError::Authentication)),
        }
        assert!(reader.tries <= MAX_TRIES, "{} tries in {packets} packets", reader.tries);
    }
}

#[test]
fn a_frame_that_opens_is_still_judged() {
    let (mut sealer, mut opener) = ends();
    let frame = sealer.seal(b"once").expect("fits");
    let mut reader = met(Framing::CrLf);
    reader.push(&terminated(&frame));
    assert_eq!(reader.open_frame(&mut opener), Ok(Some(b"once".to_vec())));
    assert_eq!(reader.open_frame(&mut opener), Ok(None));
    reader.push(&terminated(&frame));
    assert_eq!(reader.open_frame(&mut opener), Ok(None), "a repeated frame is not opened again");
}

/// Frames begin with any byte, with 00 and 04 as well, and change nothing about the form.
#[test]
fn only_the_first_byte_decides_on_the_form() {
    for framing in [Framing::CrLf, Framing::Length] {
        let (mut sealer, mut opener) = ends();
        let mut reader = met(framing);
        let mut firsts = std::collections::BTreeSet::new();
        for number in 0..2_000_u32 {
            let frame = sealer.seal(&number.to_be_bytes()).expect("fits");
            firsts.insert(frame[0]);
            reader.push(&framing.wrap(&frame));
            assert_eq!(reader.open_frame(&mut opener), Ok(Some(number.to_be_bytes().to_vec())));
            assert_eq!(reader.framing(), Some(framing));
        }
        assert!(firsts.contains(&0) && firsts.contains(&4));
    }
}

#[test]
fn a_handshake_message_has_one_length() {
    for length in [0_u32, 1, 80, 82, 1 << 20, 0x00ff_ffff] {
        let mut reader = PacketReader::new();
        reader.push(&length.to_be_bytes()[..3]);
        assert_eq!(reader.handshake_message(), Ok(None));
        reader.push(&length.to_be_bytes()[3..]);
        let length = usize::try_from(length).expect("32 bits");
        assert_eq!(reader.handshake_message(), Err(HandshakeError::Length(length)));
    }
}

#[test]
fn the_largest_measured_message_fits_and_no_more() {
    let (mut sealer, mut opener) = ends();
    let message = vec![0; MAX_PLAINTEXT];
    let frame = sealer.seal(&message).expect("fits");
    let mut reader = met(Framing::Length);
    let (last, before) = frame.split_last().expect("a frame");
    for packet in Framing::Length.wrap(&frame)[..4 + before.len()].chunks(65_535) {
        reader.push(packet);
        assert_eq!(reader.open_frame(&mut opener), Ok(None));
    }
    reader.push(&[*last]);
    assert_eq!(reader.open_frame(&mut opener), Ok(Some(message)));
    assert!(Framing::Length.wrap(&frame).len() <= MAX_MESSAGE, "every channel takes it");
    assert!(Framing::CrLf.wrap(&frame).len() <= MAX_MESSAGE);
}

/// Nothing is searched where the length says what belongs to a frame.
#[test]
fn a_measured_frame_is_tried_once() {
    let (mut sealer, mut opener) = ends();
    let mut reader = met(Framing::Length);
    let mut frame = sealer.seal(b"changed on its way").expect("fits");
    frame[5] ^= 1;
    reader.push(&Framing::Length.wrap(&frame));
    assert_eq!(reader.open_frame(&mut opener), Err(FrameError::Authentication));
    assert_eq!(reader.tries, 0);
}

#[test]
fn debug_shows_how_much_is_unread() {
    let mut reader = PacketReader::new();
    reader.push(&[0xAB; 5]);
    assert_eq!(format!("{reader:?}"), "PacketReader { unread: 5, .. }");
}
