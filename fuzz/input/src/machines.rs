//! Seeds for the two machines: whole sessions, out of which the fuzzer makes broken ones.

use std::io;

use hybridge_fuzz_input::{Writer, authenticator, client, packets};

use crate::corpus::Corpus;

/// getInfo and nothing else, and with both features.
const DESCRIPTIONS: [&[u8]; 2] =
    [&[0xa1, 1, 0x41, 0xa0], &[0xa2, 1, 0x41, 0xa0, 3, 0x82, 0x64, b'c', b't', b'a', b'p', 0x62, b'd', b'c']];
/// The time a caller gives a phone.
const MINUTE: [u8; 8] = 60_u64.to_le_bytes();

/// Writes the seeds of both machines.
pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    for (flags, description) in [(0, 0), (client::ACCEPT_LINKING, 0), (client::REQUIRE_DIGITAL, 1)] {
        corpus.add("client_machine", after_a_code(flags, DESCRIPTIONS[description]).finish())?;
    }
    corpus.add("client_machine", old_phone())?;
    for flags in [client::L2CAP, client::L2CAP | client::LENGTHS] {
        corpus.add("client_machine", over_bluetooth(flags))?;
        corpus.add("client_machine", served_over_bluetooth(flags))?;
    }
    corpus.add("client_machine", calls_a_phone())?;
    corpus.add("client_machine", second_try())?;
    for flags in [0, authenticator::CODE_LINKING, authenticator::CALL, authenticator::DIGITAL, 6] {
        corpus.add("authenticator_machine", serves(flags, 0))?;
    }
    for flags in [authenticator::L2CAP, authenticator::L2CAP | authenticator::LENGTHS] {
        corpus.add("authenticator_machine", serves_over_bluetooth(flags))?;
    }
    corpus.add("authenticator_machine", comes_back())?;
    for flags in [0, packets::LENGTHS] {
        corpus.add("packets", in_packets(flags))?;
    }
    for begin in [&[4; 83][..], &[0, 0, 0, 81], &[0, 16, 0, 1]] {
        let stranger = Writer::default().byte(packets::STRANGER).chunk(begin);
        corpus.add("packets", stranger.byte(packets::FLOOD).byte(90).chunk(&[4]).finish())?;
    }
    corpus.add("packets", Writer::default().byte(0).byte(packets::FLOOD).byte(255).chunk(b"\r\n").finish())
}

/// A phone answers the code: advert, tunnel, handshake, description.
fn found(flags: u8, description: &[u8]) -> Writer {
    let advert = Writer::default().byte(flags).byte(client::ADVERT).byte(0).fixed(&[0, 0]).chunk(&[]);
    let opened = advert.byte(client::OPENED).fixed(&[0, 0]);
    opened.byte(client::ANSWER).fixed(&[0, 0, 0]).byte(client::FRAME).byte(0).chunk(description)
}

fn after_a_code(flags: u8, description: &[u8]) -> Writer {
    let asked = found(flags, description).byte(client::SEND_CTAP).fixed(&MINUTE).chunk(&[4]);
    let told = asked.byte(client::LINK).fixed(&[0, 0]).byte(client::LINK).fixed(&[0, 1]);
    let mut replied = told.byte(client::FRAME).byte(0).chunk(&[1, 0, 0xa0]);
    if flags & client::REQUIRE_DIGITAL != 0 {
        replied = replied.byte(client::SEND_JSON).chunk(b"{}").byte(client::FRAME).byte(0).chunk(b"\x03{}");
    }
    let leaving = replied.byte(client::SHUTDOWN).byte(client::LINK).fixed(&[0, 0]);
    leaving.byte(client::WAIT).fixed(&[0xff, 0])
}

/// Padded as old phones do, and without types afterwards.
fn old_phone() -> Vec<u8> {
    let mut padded = DESCRIPTIONS[0].to_vec();
    padded.resize(255, 0);
    padded.push(251);
    let asked = found(0, &padded).byte(client::SEND_CTAP).fixed(&MINUTE).chunk(&[4]);
    asked.byte(client::FRAME).byte(0).chunk(&[0, 0xa0]).byte(client::CLOSED).byte(0).finish()
}

/// The BLE channel fails, the tunnel does not.
fn over_bluetooth(flags: u8) -> Vec<u8> {
    let advert = Writer::default().byte(flags).byte(client::ADVERT).byte(0).fixed(&[1, 0]).chunk(&[128]);
    let failed = advert.byte(client::DIAL_FAILED).fixed(&[0, 4]).byte(client::OPENED).fixed(&[1, 0]);
    let answered = failed.byte(client::ANSWER).fixed(&[1, 0, 0]);
    answered.byte(client::FRAME).byte(1).chunk(DESCRIPTIONS[0]).finish()
}

/// All of it over the BLE channel.
fn served_over_bluetooth(flags: u8) -> Vec<u8> {
    let advert = Writer::default().byte(flags).byte(client::ADVERT).byte(0).fixed(&[1, 0]).chunk(&[128]);
    let answered = advert.byte(client::OPENED).fixed(&[0, 0]).byte(client::ANSWER).fixed(&[0, 0, 0]);
    let described = answered.byte(client::FRAME).byte(0).chunk(DESCRIPTIONS[0]);
    let asked = described.byte(client::SEND_CTAP).fixed(&MINUTE).chunk(&[4]);
    asked.byte(client::FRAME).byte(0).chunk(&[1, 0, 0xa0]).byte(client::SHUTDOWN).finish()
}

fn calls_a_phone() -> Vec<u8> {
    let called = Writer::default().byte(client::WITHOUT_CODE).byte(client::CALL).fixed(&[10, 1]);
    let opened = called.byte(client::OPENED).fixed(&[0, 1]).byte(client::MESSAGE).byte(0).chunk(&[0]);
    let heard = opened.byte(client::ADVERT).byte(0).fixed(&[10, 1]).chunk(&[]);
    let answered = heard.byte(client::ANSWER).fixed(&[0, 0, 0]);
    answered.byte(client::FRAME).byte(0).chunk(DESCRIPTIONS[0]).finish()
}

/// The first phone is not reached, so the machine shows a fresh code.
fn second_try() -> Vec<u8> {
    let advert = Writer::default().byte(0).byte(client::ADVERT).byte(0).fixed(&[0, 0]).chunk(&[]);
    let failed = advert.byte(client::WAIT).fixed(&[41, 0]).byte(client::DIAL_FAILED).fixed(&[1, 3]);
    let again = failed.byte(client::ADVERT).byte(1).fixed(&[0, 0]).chunk(&[]);
    again.byte(client::OPENED).fixed(&[2, 0]).byte(client::ANSWER).fixed(&[2, 1, 70]).finish()
}

/// A client comes, asks twice and leaves.
fn serves(flags: u8, channels: u8) -> Vec<u8> {
    let opened =
        Writer::default().byte(flags).byte(channels).byte(authenticator::OPENED).fixed(&[0, 1, 1, 2, 3]);
    let met = opened.byte(authenticator::HANDSHAKE).fixed(&[0, 0, 0]);
    let asked =
        met.byte(authenticator::FRAME).byte(0).chunk(&[1, 4]).byte(authenticator::REPLY).chunk(&[0, 0xa0]);
    let again =
        asked.byte(authenticator::FRAME).byte(0).chunk(b"\x03{}").byte(authenticator::REPLY).chunk(b"{}");
    again.byte(authenticator::FRAME).byte(0).chunk(&[0]).finish()
}

fn serves_over_bluetooth(flags: u8) -> Vec<u8> {
    let opened = Writer::default().byte(flags).byte(2).byte(authenticator::LISTENING).fixed(&[128, 0]);
    let met = opened.byte(authenticator::ACCEPTED).byte(authenticator::HANDSHAKE).fixed(&[0, 0, 0]);
    met.byte(authenticator::FRAME).byte(0).chunk(&[1, 4]).byte(authenticator::CLOSED).byte(0).finish()
}

/// A client that gives BLE up before it has asked for anything.
fn comes_back() -> Vec<u8> {
    let listening =
        Writer::default().byte(authenticator::L2CAP).byte(3).byte(authenticator::LISTENING).fixed(&[128, 0]);
    let opened = listening.byte(authenticator::OPENED).fixed(&[0, 1, 1, 2, 3]).byte(authenticator::ACCEPTED);
    let met = opened.byte(authenticator::HANDSHAKE).fixed(&[1, 0, 0]);
    let back = met.byte(authenticator::CLOSED).byte(1).byte(authenticator::HANDSHAKE).fixed(&[0, 0, 0]);
    back.byte(authenticator::FRAME)
        .byte(0)
        .chunk(&[1, 4])
        .byte(authenticator::REPLY)
        .chunk(&[0, 0xa0])
        .finish()
}

/// Every habit of an honest peer.
fn in_packets(flags: u8) -> Vec<u8> {
    let whole = Writer::default().byte(flags).byte(packets::MESSAGE).byte(255).chunk(&[1, 2, 3]);
    let cut = whole.byte(packets::MESSAGE).byte(7).chunk(&[4; 90]);
    let bare = cut.byte(packets::APART).chunk(&[5]).byte(packets::BARE).chunk(&[6]);
    bare.byte(packets::PACKET).chunk(b"\r\n").finish()
}
