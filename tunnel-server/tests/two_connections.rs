//! Whatever two strangers send each other, in whatever pieces: each gets well-formed frames that say what the other
//! sent, up to the end of the tunnel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

#[path = "support/model.rs"]
mod model;
#[path = "support/two_connections.rs"]
mod two_connections;

use proptest::{collection::vec, prelude::*};
use two_connections::{Script, Step, check};

/// Frames that are mostly good.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => Just(0x82), 2 => Just(0x02), 2 => Just(0x00), 2 => Just(0x80), 3 => Just(0x89), 1 => Just(0x8a),
        1 => Just(0x88), 1 => any::<u8>(),
    ];
    (first, vec(any::<u8>(), 0..150), any::<[u8; 4]>(), 0..20_u8).prop_map(|(first, payload, mask, odd)| {
        let payload = if first & 8 != 0 { payload[..payload.len().min(125)].to_vec() } else { payload };
        let length = u8::try_from(payload.len()).unwrap();
        let mut frame = vec![first];
        match odd {
            // Lengths may be written longer than they have to be, but not those of control frames.
            0 => frame.extend([0xfe, 0, length]),
            1 => frame.extend([0xff, 0, 0, 0, 0, 0, 0, 0, length]),
            _ if length > 125 => frame.extend([0xfe, 0, length]),
            _ => frame.push(0x80 | length),
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    })
}

/// What one side sends, cut anywhere.
fn pieces(client: bool) -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop_oneof![
        5 => vec(frame(), 0..8).prop_map(|frames| frames.concat()),
        1 => vec(any::<u8>(), 0..60),
    ];
    (bytes, vec((1_usize..60, any::<bool>()), 1..8)).prop_map(move |(bytes, cuts)| {
        let (mut rest, mut steps) = (&bytes[..], Vec::new());
        for (length, wait) in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            steps.push(Step { client, wait, bytes: piece.to_vec() });
            rest = behind;
        }
        steps
    })
}

/// Both sides' pieces, each in their order, between each other in any.
fn script() -> impl Strategy<Value = Script> {
    (pieces(false), pieces(true), vec(any::<bool>(), 64), any::<(u8, bool, bool, bool)>()).prop_map(
        |(phone, client, turns, (join, early, phone_leaves, client_leaves))| {
            let mut sides = [phone.into_iter().peekable(), client.into_iter().peekable()];
            let (mut steps, mut turns) = (Vec::new(), turns.into_iter().cycle());
            while sides.iter_mut().any(|side| side.peek().is_some()) {
                steps.extend(sides[usize::from(turns.next().unwrap())].next());
            }
            let before_join = usize::from(join).checked_rem(steps.len() + 1).unwrap();
            Script { steps, before_join, early, phone_leaves, client_leaves }
        },
    )
}

fn play(script: &Script) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(check(script));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn each_side_gets_what_the_other_sent(script in script()) {
        play(&script);
    }

    #[test]
    fn any_bytes_are_a_script(input in vec(any::<u8>(), 0..400)) {
        play(&Script::read(&input));
    }

    #[test]
    fn scripts_are_written_as_they_are_read(script in script()) {
        let written = Script::read(&script.write());
        let bytes = |script: &Script, client| {
            let own = script.steps.iter().filter(|step| step.client == client);
            own.flat_map(|step| step.bytes.clone()).collect::<Vec<_>>()
        };
        for client in [false, true] {
            prop_assert_eq!(bytes(&written, client), bytes(&script, client));
        }
    }
}
