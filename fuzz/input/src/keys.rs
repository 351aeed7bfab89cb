//! Seeds of the virtual security key's targets.

use std::io;

use crate::corpus::Corpus;
use hybridge_fuzz_input::{Writer, security_key as step};

const CBOR: u8 = 0x10;
/// authenticatorGetAssertion for `site.example` with one passkey.
const GET: &[u8] = b"\x02\xa3\x01\x6csite.example\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x03\x81\xa2\x62id\x41\x07\x64type\x6apublic-key";
/// The same, as a probe.
const PROBE: &[u8] = b"\x02\xa4\x01\x6csite.example\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x03\x81\xa2\x62id\x41\x07\x64type\x6apublic-key\x05\xa1\x62up\xf4";
/// authenticatorMakeCredential for `site.example`.
const CREATE: &[u8] = b"\x01\xa4\x01\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x02\xa1\x62id\x6csite.example\x03\xa1\x62id\x41\x01\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key";

pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    let ask = |message: &[u8]| Writer::default().byte(step::MESSAGE).byte(1).byte(CBOR).chunk(message);
    corpus.add("security_key", &ask(&[4]).finish())?;
    corpus.add("security_key", &ask(&[0x0b]).byte(step::TOUCH).byte(0).byte(1).finish())?;
    corpus.add("security_key", &ask(&[0x0b]).byte(step::CLOSE_WINDOW).byte(0).finish())?;
    for request in [GET, CREATE] {
        let probed = ask(PROBE).byte(step::MESSAGE).byte(1).byte(CBOR).chunk(request);
        corpus.add(
            "security_key",
            &probed.byte(step::REPLY).byte(0).chunk(b"\0\xa2\x02\x40\x05\x02").finish(),
        )?;
        let cancelled = ask(request).byte(step::MESSAGE).byte(1).byte(0x11).chunk(&[]);
        corpus.add("security_key", &cancelled.finish())?;
        corpus.add("security_key", &ask(request).byte(step::WAIT).fixed(&[0xff, 0xff]).finish())?;
        corpus.add("security_key", &ask(request).byte(step::GONE).finish())?;
    }
    let parts = Writer::default().byte(step::REPORT).byte(1).byte(0x81).chunk(&[0, 100]);
    corpus.add("security_key", &parts.byte(step::REPORT).byte(1).byte(0).chunk(&[7; 59]).finish())?;

    for kind in [2_u32, 3, 4, 5, 9, 13] {
        corpus.add("uhid_event", &[kind.to_ne_bytes(), [1, 0, 0, 0]].concat())?;
    }
    let mut output = [&6_u32.to_ne_bytes()[..], &[0; 4096]].concat();
    output.extend_from_slice(&[65, 0, 1]);
    corpus.add("uhid_event", &output)
}
