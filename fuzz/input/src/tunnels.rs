//! Seeds for the two connections of a tunnel: conversations that go well, and each of the ways to end one.

use std::io;

use hybridge_fuzz_input::Writer;

use crate::corpus::Corpus;

/// The flags of the first byte.
const EARLY: u8 = 1;
const PHONE_LEAVES: u8 = 2;
const CLIENT_LEAVES: u8 = 4;
/// The flags of a step's byte.
const CLIENT: u8 = 0x80;
const NO_WAIT: u8 = 0x40;
/// The longest step in bytes.
const LONGEST: usize = 0x3f;

/// A masked frame of at most 125 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![first, 0x80 | payload.len() as u8];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Bytes as steps of one side.
fn steps(side: u8, bytes: &[u8]) -> Vec<u8> {
    let step = |piece: &[u8]| [&[side | piece.len() as u8], piece].concat();
    bytes.chunks(LONGEST).flat_map(step).collect()
}

/// Writes the seeds.
pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    let message = frame(0x82, b"a message");
    let fragments = [frame(0x02, b"two "), frame(0x89, b"between"), frame(0x80, b"parts")].concat();
    let long = [&[0x82, 0xfe, 0, 200, 9, 9, 9, 9][..], &[7; 200]].concat();
    let conversation = [
        steps(0, &message),
        steps(CLIENT, &fragments),
        steps(NO_WAIT, &long),
        steps(CLIENT | NO_WAIT, &message),
    ]
    .concat();
    for (flags, before_join) in [(0, 0), (EARLY, 1), (0, 3), (EARLY | PHONE_LEAVES, 200), (CLIENT_LEAVES, 2)]
    {
        corpus.add("two_connections", [&[flags, before_join], &conversation[..]].concat())?;
    }
    for end in [
        frame(0x88, b""),
        frame(0x88, &[3, 0xe8]),
        frame(0x88, &[3, 0xe9, b'b', b'y', b'e']),
        frame(0x88, &[3, 0xee]),
        frame(0x81, b"text"),
        frame(0xc2, b"reserved"),
        frame(0x80, b"nothing to continue"),
        vec![0x82, 1, b'x'],
        vec![0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0],
        vec![0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0],
    ] {
        let ended = [steps(0, &message), steps(CLIENT, &message), steps(CLIENT, &end), steps(0, &message)];
        corpus.add("two_connections", [&[0, 1], &ended.concat()[..]].concat())?;
    }
    Ok(())
}

/// Writes the seeds of who may open tunnels, and for whom proxies speak.
pub(crate) fn write_callers(corpus: &mut Corpus) -> io::Result<()> {
    let tokens = "# apps\nphone:0123456789abcdefA\n  0123456789abcdefB\n";
    let keys = "main:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    for (file, token) in [(tokens, "0123456789abcdefB"), (keys, "v1.main.1600.00"), ("", "")] {
        corpus.add("access", Writer::default().chunk(file.as_bytes()).fixed(token.as_bytes()).finish())?;
    }
    for (header, first, second) in [
        (0, "198.51.100.7, 192.0.2.1 ,10.1.2.3", "10.0.0.1"),
        (0, "[2001:db8::1]:4711", "::ffff:10.0.0.1"),
        (1, "for=198.51.100.7, for=192.0.2.1", "by=x;for=10.0.0.1"),
        (1, "for=192.0.2.9", "For=\"[2001:db8::1]:80\";host=\"a\\\",b;for=x\""),
    ] {
        let seed = Writer::default().byte(header).chunk(first.as_bytes()).fixed(second.as_bytes());
        corpus.add("forwarded", seed.finish())?;
    }
    Ok(())
}
