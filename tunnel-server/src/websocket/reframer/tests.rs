use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { message: 1 << 20, total: 1 << 24, messages: u64::MAX };

/// A masked frame as a client sends it.
fn masked(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = head(first, 0x80, payload.len());
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The same frame as a service sends it.
fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, 0, payload.len());
    frame.extend(payload);
    frame
}

fn head(first: u8, flag: u8, length: usize) -> Vec<u8> {
    match length {
        0..=125 => vec![first, flag | u8::try_from(length).unwrap()],
        126..=0xffff => [&[first, flag | 126][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
        _ => [&[first, flag | 127][..], &u64::try_from(length).unwrap().to_be_bytes()].concat(),
    }
}

/// Gives the bytes in as reads of the given sizes, over and over.
fn run(reframer: &mut Reframer, bytes: &[u8], sizes: &[usize]) -> Result<(Vec<u8>, Vec<Control>), Violation> {
    let (mut output, mut controls) = (Vec::new(), Vec::new());
    let (mut bytes, mut sizes) = (bytes, sizes.iter().cycle());
    while !bytes.is_empty() {
        let (read, left) = bytes.split_at((*sizes.next().unwrap()).min(bytes.len()));
        bytes = left;
        let mut buffer = vec![0xee; HEADROOM];
        buffer.extend(read);
        let mut input = HEADROOM..buffer.len();
        while !input.is_empty() {
            let reframed = reframer.reframe(&mut buffer, input);
            output.extend(&buffer[reframed.output]);
            controls.extend(reframed.stop.transpose()?);
            input = reframed.rest;
        }
    }
    Ok((output, controls))
}

fn violation(bytes: &[u8]) -> Violation {
    run(&mut Reframer::new(LIMITS), bytes, &[bytes.len()]).unwrap_err()
}

#[test]
fn each_rule_has_its_violation() {
    let mask = [1, 2, 3, 4];
    for framing in [
        unmasked(0x82, b"x"),
        masked(0xc2, b"x", mask),
        masked(0x83, b"x", mask),
        masked(0x80, b"x", mask),
        masked(0x09, b"x", mask),
        masked(0x89, &[0; 126], mask),
        masked(0x88, &[3], mask),
        masked(0x88, &[3, 0xed], mask),
        masked(0x88, &[3, 0xe8, 0xff], mask),
        [masked(0x02, b"x", mask), masked(0x82, b"x", mask)].concat(),
    ] {
        assert_eq!(violation(&framing), Violation::Framing, "{framing:?}");
    }
    assert_eq!(violation(&masked(0x81, b"x", mask)), Violation::Text);
    let announced = [&[0x82, 0xff][..], &((1_u64 << 20) + 1).to_be_bytes(), &mask].concat();
    assert_eq!(violation(&announced), Violation::Size);
    let fragments =
        [masked(0x02, &vec![0; 1 << 19], mask), masked(0x80, &vec![0; (1 << 19) + 1], mask)].concat();
    assert_eq!(violation(&fragments), Violation::Size);
    let mut little = Reframer::new(Limits { message: 10, total: 15, messages: u64::MAX });
    let two = [masked(0x82, &[0; 10], mask), masked(0x82, &[0; 6], mask)].concat();
    assert_eq!(run(&mut little, &two, &[two.len()]), Err(Violation::Quota));
}

#[test]
fn a_huge_length_does_not_overflow() {
    let announced = [&[0x82, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(violation(&announced), Violation::Size);
}

/// A frame that a well-behaved client may send next, and what becomes of it.
#[derive(Debug, Clone)]
enum Sent {
    Message(Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let small = || proptest::collection::vec(any::<u8>(), 0..126);
    let part = prop_oneof![small(), proptest::collection::vec(any::<u8>(), 120..300), Just(vec![7; 70_000])];
    prop_oneof![
        proptest::collection::vec(part, 1..4).prop_map(Sent::Message),
        small().prop_map(Sent::Ping),
        small().prop_map(Sent::Pong),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn frames_come_out_unmasked_however_they_are_cut(
        all in proptest::collection::vec(sent(), 0..6),
        mask: [u8; 4],
        sizes in proptest::collection::vec(prop_oneof![1_usize..20, 1000_usize..70_000], 1..5),
    ) {
        let (mut input, mut expected, mut pings) = (Vec::new(), Vec::new(), Vec::new());
        for sent in all {
            match sent {
                Sent::Ping(payload) => {
                    input.extend(masked(0x89, &payload, mask));
                    pings.push(Control::Ping(payload));
                }
                Sent::Pong(payload) => input.extend(masked(0x8a, &payload, mask)),
                Sent::Message(parts) => {
                    for (index, part) in parts.iter().enumerate() {
                        let fin = if index + 1 == parts.len() { 0x80 } else { 0 };
                        let first = fin | if index == 0 { 2 } else { 0 };
                        input.extend(masked(first, part, mask));
                        // A ping may come between the fragments of a message.
                        input.extend(masked(0x89, b"between", mask));
                        pings.push(Control::Ping(b"between".to_vec()));
                        expected.extend(unmasked(first, part));
                    }
                }
            }
        }
        let mut reframer = Reframer::new(LIMITS);
        let (output, controls) = run(&mut reframer, &input, &sizes).unwrap();
        prop_assert!(output == expected);
        prop_assert_eq!(controls, pings);
        prop_assert!(reframer.at_boundary());
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), sizes in proptest::collection::vec(1_usize..50, 1..4)) {
        let whole = run(&mut Reframer::new(LIMITS), &bytes, &[bytes.len().max(1)]);
        let pieces = run(&mut Reframer::new(LIMITS), &bytes, &sizes);
        prop_assert_eq!(whole, pieces);
    }
}
