//! The handshake against an independent reference of the two Noise patterns.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests have a clock, files and an environment"
)]

#[path = "support/frame_reference.rs"]
mod frame_reference;
#[path = "support/noise_reference.rs"]
mod noise_reference;
#[path = "support/noise_vectors.rs"]
mod noise_vectors;
#[path = "support/production.rs"]
mod production;
#[path = "support/scripted_rng.rs"]
mod scripted_rng;
#[path = "support/stock_snow.rs"]
mod stock_snow;
#[path = "support/tracked.rs"]
mod tracked;

use std::{env, path::Path, process::Command};

use noise_reference::{Party, Pattern, Rejected, public_of};
use noise_vectors::{Noise, Reference};
use production::Production;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use stock_snow::StockSnow;
use tracked::{Document, Outcome};

/// Every step, message, key and frame of the vector files comes out of the reference, and it refuses what is to be
/// refused. `all_visited` proves that nothing was left out.
#[test]
fn reference_agrees_with_the_vectors() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    for name in ["noise_knpsk0.json", "noise_nkpsk0.json"] {
        let document = Document::read(&folder, name)?;
        let root = document.root();
        noise_vectors::handshakes(&root, &Reference)?;
        noise_vectors::handshakes(&root, &StockSnow)?;
        noise_vectors::steps(&root)?;
        noise_vectors::frames(&root)?;
        noise_vectors::rejects(&root, &Reference)?;
        document.all_visited(&[])?;
    }
    Ok(())
}

/// Initiator and responder of one handshake with random keys.
fn random_pair(pattern: Pattern, rng: &mut ChaCha20Rng) -> (Party, Party) {
    // A random 32-byte string is no scalar once in 2^32.
    let mut draw = || {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        bytes
    };
    let (private, psk) = (draw(), draw());
    let mut party = |owns: bool| Party {
        pattern,
        psk,
        static_public: public_of(&private),
        static_private: owns.then_some(private),
        ephemeral: draw(),
    };
    (party(pattern == Pattern::KnPsk0), party(pattern == Pattern::NkPsk0))
}

/// For the same keys, the crate, the reference and `snow` with its own primitives say the same bytes and end with the
/// same hash and traffic keys, so each of them can talk to each.
#[test]
fn production_and_snow_agree_with_the_reference() {
    for seed in 0..150 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        for pattern in [Pattern::KnPsk0, Pattern::NkPsk0] {
            let (initiator, responder) = random_pair(pattern, &mut rng);
            let (message_1, waiting) = initiator.initiate();
            let (message_2, right) = responder.respond(&message_1).expect("an honest message");
            let end = waiting.finish(&message_2).expect("an honest message");
            assert_eq!(end.handshake_hash, right.handshake_hash, "seed {seed} {pattern:?}");
            let (forth, back) = (right.client_to_authenticator, right.authenticator_to_client);

            let others: [(&str, &dyn Noise); 2] = [("the crate", &Production), ("snow", &StockSnow)];
            for (name, noise) in others {
                let place = format!("{name}, seed {seed} {pattern:?}");
                let (ours, finish) = noise.initiate(&initiator);
                assert_eq!(ours, message_1, "{place}");
                let client = finish(&message_2).expect(&place);
                let (ours, authenticator) = noise.respond(&responder, &message_1).expect(&place);
                assert_eq!(ours, message_2, "{place}");
                assert_eq!(client.handshake_hash, right.handshake_hash, "{place}");
                assert_eq!(authenticator.handshake_hash, right.handshake_hash, "{place}");
                assert!(client.has_keys(forth, back), "{place}");
                assert!(authenticator.has_keys(back, forth), "{place}");
            }
        }
    }
}

/// A message with a changed bit, byte or length is refused for the same reason by the crate and by the reference.
#[test]
fn production_refuses_as_the_reference_does() {
    let mut seen = Vec::new();
    for seed in 0..150 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        for pattern in [Pattern::KnPsk0, Pattern::NkPsk0] {
            let (initiator, responder) = random_pair(pattern, &mut rng);
            let (mut message_1, waiting) = initiator.initiate();
            let (mut message_2, _) = responder.respond(&message_1).expect("an honest message");
            damage(&mut message_1, &mut rng);
            damage(&mut message_2, &mut rng);

            let right = responder.respond(&message_1).map(drop).expect_err("damaged");
            let ours = Production.respond(&responder, &message_1).map(drop).expect_err("damaged");
            assert_eq!(ours, right, "message 1, seed {seed} {pattern:?}");
            seen.push(right);
            let right = waiting.finish(&message_2).map(drop).expect_err("damaged");
            let ours = Production.initiate(&initiator).1(&message_2).map(drop).expect_err("damaged");
            assert_eq!(ours, right, "message 2, seed {seed} {pattern:?}");
            seen.push(right);
        }
    }
    for reason in [Rejected::Length, Rejected::Point, Rejected::Tag] {
        assert!(seen.contains(&reason), "{reason:?} never came up");
    }
}

fn damage(message: &mut Vec<u8>, rng: &mut ChaCha20Rng) {
    let position = usize::try_from(rng.next_u32()).expect("a 32-bit system at least") % message.len();
    match rng.next_u32() % 4 {
        0 => message.truncate(position),
        1 => message.insert(position, 0),
        2 => message[65 + position % 16] ^= 1,
        _ => message[position] ^= 1 << (rng.next_u32() % 8),
    }
}

/// `snow` compiles a resolver of its own only with the feature `default-resolver`, which these tests switch on to
/// compare with it. The crate is built without, so nothing in it can reach primitives other than its own: the
/// features that count are exactly those that give `snow` the name and buffer size of P-256 and the raw split.
#[test]
fn the_crate_is_built_without_a_resolver_of_snow() {
    let cargo = env::var_os("CARGO").expect("cargo runs the tests");
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--package", "hybridge-proto", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    let features = tree.lines().find_map(|line| line.strip_prefix("snow v")?.split_once(' '));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(features.map(|(_, features)| features), Some("p256,risky-raw-split"), "{complaint}");
}
