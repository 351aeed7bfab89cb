//! The cases, in the suite's order.

use super::{
    run::{Case, Chops},
    support::frame as short_frame,
};

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A masked frame of any length.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    if payload.len() <= 0xffff {
        return short_frame(first, payload);
    }
    let length = u64::try_from(payload.len()).unwrap().to_be_bytes();
    [&[first, 0xff][..], &length, &[0; 4], payload].concat()
}

fn message(payload: &[u8]) -> Vec<u8> {
    frame(FIN | BINARY, payload)
}

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PING, payload)
}

/// A message of two fragments.
fn two(a: &str, b: &str) -> [Vec<u8>; 2] {
    [frame(BINARY, a.as_bytes()), frame(FIN | CONTINUATION, b.as_bytes())]
}

/// A message cut into fragments of so many bytes.
fn cut(payload: &[u8], fragment: usize) -> Vec<Vec<u8>> {
    let last = payload.len().div_ceil(fragment) - 1;
    let piece = |(at, bytes): (usize, &[u8])| {
        let opcode = if at == 0 { BINARY } else { CONTINUATION };
        frame(if at == last { FIN | opcode } else { opcode }, bytes)
    };
    payload.chunks(fragment).enumerate().map(piece).collect()
}

pub(crate) fn framing() -> Vec<Case> {
    let lengths = [0, 125, 126, 127, 128, 65_535, 65_536];
    let whole = lengths.into_iter().enumerate().map(|(at, length)| {
        let payload = vec![0xfe; length];
        Case::clean(format!("1.2.{}", at + 1), vec![message(&payload)]).echoed([payload])
    });
    let payload = vec![0xfe; 65_536];
    let chopped = Case::clean("1.2.8", vec![message(&payload)]).echoed([payload]);
    whole.chain([chopped.chopped(Chops::Octets(997))]).collect()
}

pub(crate) fn pings() -> Vec<Case> {
    let ten: Vec<Vec<u8>> = (0..10).map(|number| format!("payload-{number}").into_bytes()).collect();
    let ten_pings = || ten.iter().map(|payload| ping(payload)).collect::<Vec<_>>();
    let pong = |payload: &[u8]| frame(FIN | PONG, payload);
    let long = [0xfe; 125];
    let none: [Vec<u8>; 0] = [];
    vec![
        Case::clean("2.1", vec![ping(b"")]).pongs([""]),
        Case::clean("2.2", vec![ping(b"Hello, world!")]).pongs(["Hello, world!"]),
        Case::clean("2.3", vec![ping(&[0, 0xff, 0xfe, 0xfd])]).pongs([[0, 0xff, 0xfe, 0xfd]]),
        Case::clean("2.4", vec![ping(&long)]).pongs([long]),
        Case::failing("2.5", vec![ping(&[0xfe; 126])]),
        Case::clean("2.6", vec![ping(&long)]).pongs([long]).chopped(Chops::Octets(1)),
        Case::clean("2.7", vec![pong(b"")]).pongs(none.clone()),
        Case::clean("2.8", vec![pong(b"unsolicited")]).pongs(none),
        Case::clean("2.9", vec![pong(b"unsolicited"), ping(b"own")]).pongs(["own"]),
        Case::clean("2.10", ten_pings()).pongs(ten.clone()),
        Case::clean("2.11", ten_pings()).pongs(ten.clone()).chopped(Chops::Octets(1)),
    ]
}

/// A message that is echoed, then frames for which the service fails the connection.
fn message_then(name: impl Into<String>, frames: Vec<Vec<u8>>) -> Case {
    Case::failing(name, frames).behind(vec![message(b"Hello, world!")]).echoed(["Hello, world!"])
}

pub(crate) fn reserved_bits() -> Vec<Case> {
    let rsv = |bits: u8, first: u8| frame(FIN | bits << 4 | first, b"Hello, world!");
    vec![
        Case::failing("3.1", vec![rsv(1, BINARY)]),
        message_then("3.2", vec![rsv(2, BINARY), ping(b"")]),
        message_then("3.3", vec![rsv(3, BINARY), ping(b"")]).chopped(Chops::Frames),
        message_then("3.4", vec![rsv(4, BINARY), ping(b"")]).chopped(Chops::Octets(1)),
        Case::failing("3.5", vec![rsv(5, BINARY)]),
        Case::failing("3.6", vec![rsv(6, PING)]),
        Case::failing("3.7", vec![rsv(7, CLOSE)]),
    ]
}

pub(crate) fn opcodes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (group, opcodes) in [(1, 3..=7), (2, 11..=15)] {
        for (at, opcode) in opcodes.enumerate() {
            let name = format!("4.{group}.{}", at + 1);
            let payload: &[u8] = if at % 2 == 0 { b"" } else { b"reserved opcode" };
            let reserved = frame(FIN | opcode, payload);
            cases.push(match at {
                0 | 1 => Case::failing(name, vec![reserved]),
                _ => message_then(name, vec![reserved, ping(b"")]),
            });
        }
    }
    cases
}

pub(crate) fn fragments() -> Vec<Case> {
    let whole = || two("fragment1", "fragment2");
    let [first, last] = whole();
    let between = || vec![first.clone(), ping(b"between"), last.clone()];
    let stray = |fin: u8| frame(fin | CONTINUATION, b"non-continuation payload");
    let echo = ["fragment1fragment2"];
    let all_chops = [Chops::Whole, Chops::Frames, Chops::Octets(1)];
    let mut cases = vec![
        Case::failing("5.1", vec![frame(PING, b"a"), stray(FIN)]),
        Case::failing("5.2", vec![frame(PONG, b"a"), stray(FIN)]),
    ];
    for (at, chops) in all_chops.into_iter().enumerate() {
        cases.extend([
            Case::clean(format!("5.{}", at + 3), whole().to_vec()).echoed(echo).chopped(chops),
            Case::clean(format!("5.{}", at + 6), between()).echoed(echo).pongs(["between"]).chopped(chops),
            Case::failing(format!("5.{}", at + 9), vec![stray(FIN), message(b"Hello")]).chopped(chops),
            Case::failing(format!("5.{}", at + 12), vec![stray(0), message(b"Hello")]).chopped(chops),
        ]);
    }
    let five = |number: u8| {
        frame(
            if number == 5 {
                FIN
            } else if number == 1 {
                BINARY
            } else {
                0
            },
            &[b'0' + number],
        )
    };
    let long = vec![five(1), five(2), ping(b"one"), five(3), five(4), ping(b"two"), five(5)];
    let long = |name: &str, chops| {
        Case::clean(name, long.clone()).echoed(["12345"]).pongs(["one", "two"]).chopped(chops)
    };
    cases.extend([
        Case::failing("5.15", vec![stray(0), message(b"Hello")]).behind(whole().to_vec()).echoed(echo),
        Case::failing("5.16", [&[stray(0)][..], &whole()].concat()),
        Case::failing("5.17", [&[stray(FIN)][..], &whole()].concat()),
        Case::failing("5.18", vec![first, frame(FIN | BINARY, b"fragment2")]),
        long("5.19", Chops::Frames),
        long("5.20", Chops::Octets(1)),
    ]);
    cases
}

/// A close frame with a code and a reason.
fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason].concat())
}

pub(crate) fn closing() -> Vec<Case> {
    let bare = |payload: &[u8]| vec![frame(FIN | CLOSE, payload)];
    let last = |name: &str, frames| Case { close: Some(1000), ..Case::failing(name, frames) };
    let big = vec![0x5a; 256 * KIB];
    let mut cases = vec![
        Case::clean("7.1.1", vec![message(b"Hello")]).echoed(["Hello"]),
        last("7.1.2", vec![close(1000, b""), close(1000, b"")]),
        last("7.1.3", vec![close(1000, b""), ping(b"")]),
        last("7.1.4", vec![close(1000, b""), message(b"Hello")]),
        last("7.1.5", vec![frame(BINARY, b"one"), close(1000, b""), frame(FIN, b"two")]),
        last("7.1.6", vec![close(1000, b""), ping(b"")]).behind(vec![message(&big)]).echoed([big]),
        Case::failing("7.3.1", bare(b"")).closed(None),
        Case::failing("7.3.2", bare(b"a")),
        last("7.3.3", vec![close(1000, b"")]),
        last("7.3.4", vec![close(1000, b"Hello, world!")]),
        last("7.3.5", vec![close(1000, &[b'*'; 123])]),
        Case::failing("7.3.6", vec![close(1000, &[b'*'; 124])]),
        Case::failing(
            "7.5.1",
            vec![close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80")],
        ),
    ];
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    cases.extend(valid.into_iter().enumerate().map(|(at, code)| {
        Case::failing(format!("7.7.{}", at + 1), vec![close(code, b"")]).closed(Some(code))
    }));
    cases.extend(
        invalid
            .into_iter()
            .enumerate()
            .map(|(at, code)| Case::failing(format!("7.9.{}", at + 1), vec![close(code, b"")])),
    );
    // The suite leaves these open; for this service they are invalid.
    cases.push(Case::failing("7.13.1", vec![close(5000, b"")]));
    cases.push(Case::failing("7.13.2", vec![close(65_535, b"")]));
    cases
}

pub(crate) fn large() -> Vec<Case> {
    let payload = |length| vec![0xfa; length];
    let one = |name: String, length, frames| Case::clean(name, frames).echoed([payload(length)]);
    let mut cases = Vec::new();
    for (at, length) in [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].into_iter().enumerate() {
        cases.push(one(format!("9.2.{}", at + 1), length, vec![message(&payload(length))]));
    }
    let fragments = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
    for (at, fragment) in fragments.into_iter().enumerate() {
        cases.push(one(format!("9.4.{}", at + 1), 4 * MIB, cut(&payload(4 * MIB), fragment)));
    }
    for (at, octets) in [64, 128, 256, 512, 1024, 2048].into_iter().enumerate() {
        let case = one(format!("9.6.{}", at + 1), MIB, vec![message(&payload(MIB))]);
        cases.push(case.chopped(Chops::Octets(octets)));
    }
    let case = one("10.1.1".to_owned(), 65_536, cut(&payload(65_536), 1300));
    cases.push(case.chopped(Chops::Frames));
    cases
}

pub(crate) fn text() -> Vec<Case> {
    let text = |payload: &[u8]| frame(FIN | TEXT, payload);
    let refused = |name: &str, frames| Case::failing(name, frames).closed(Some(1003));
    vec![
        refused("1.1.1", vec![text(b"")]),
        refused("1.1.2", vec![text(&[b'*'; 125])]),
        refused("1.1.7", vec![text(&vec![b'*'; 65_536])]),
        refused("6.1.2", vec![frame(TEXT, b""), frame(CONTINUATION, b""), frame(FIN, b"")]),
        refused("6.2.1", vec![text("Hello-\u{b5}@\u{df}\u{f6}\u{e4}".as_bytes())]),
        refused("6.3.1", vec![text(b"\xce\xba\xed\xa0\x80edited")]),
    ]
}
