//! Seeds for what the desktop's window reads.

use std::io;

use hybridge_fuzz_input::Writer;

use crate::corpus::Corpus;

const LINES: &[&str] = &[
    r#"{"event":"touch-wanted","programs":[{"name":"firefox","pid":1}]}"#,
    r#"{"event":"phone-wanted","operation":"create","rp_id":"site.example","user":"ada","origin":"https://site.example"}"#,
    r#"{"event":"phone-wanted","operation":"get","rp_id":"site.example","programs":[{"name":"ssh","pid":2},{"name":"x"}]}"#,
    r#"{"event":"code","code":"FIDO:/123","rp_id":"site.example","seconds":3}"#,
    r#"{"event":"code-hidden"}"#,
    r#"{"event":"attempt-failed","message":"it left"}"#,
    r#"{"event":"unknown-tunnel-service","id":258}"#,
    r#"{"event":"phone-nearby"}"#,
    r#"{"event":"waiting-for-approval"}"#,
    r#"{"event":"failed","kind":"no-radio","radio":"bluetooth-off","exit_code":4,"message":"off","retry":true}"#,
    r#"{"event":"not-reached","kind":"tunnel-service","tunnel":"certificate","message":"expired"}"#,
    r#"{"event":"remembered-phones","phones":[{"id":1,"name":"Pixel"}]}"#,
    r#"{"event":"bluetooth","on":true,"message":"on"}"#,
    r#"{"event":"answered","status":46}"#,
    r#"{"event":"wink"}"#,
    r#"{"event":"cancelled"}"#,
];

/// Each line with every action after it, and all lines in a row.
pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    let line = |writer: Writer, text: &str| writer.byte(0).chunk(text.as_bytes());
    for text in LINES {
        let told = line(Writer::default(), text).byte(2).fixed(&600_u16.to_le_bytes());
        let done = (0..5).fold(told, |writer, action| writer.byte(1).byte(action));
        corpus.add("window_events", &done.byte(3).finish())?;
    }
    let all = LINES.iter().fold(Writer::default(), |writer, text| line(writer, text));
    corpus.add("window_events", &all.finish())
}
