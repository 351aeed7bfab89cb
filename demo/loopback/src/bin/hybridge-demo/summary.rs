//! What a run comes to, for people.

use std::{
    io::{self, Write},
    time::Duration,
};

use hybridge_demo::tunnel_service::Seen;

use crate::{
    record::{Milestones, Private, Record},
    style::{Ink, Style},
    timeline::Timeline,
};

/// How many bytes in a row count as having seen a part of something. Fewer can come together by accident.
const RUN: usize = 8;

/// Writes the summary behind the timeline.
pub(crate) fn write<W: Write>(timeline: &mut Timeline<W>, record: &Record, seen: &Seen) -> io::Result<()> {
    let (out, style) = timeline.parts();
    heading(out, style, "Verified by the website")?;
    let verdict = |good| if good { style.paint(Ink::Good, "yes") } else { style.paint(Ink::Bad, "no") };
    writeln!(out, "  registered  {}", verdict(record.registered()))?;
    let name = record.signed_in_as.as_deref().map(|name| format!(", as {name:?}")).unwrap_or_default();
    writeln!(out, "  signed in   {}{name}", verdict(record.signed_in()))?;
    tunnel_service(out, style, record, seen)?;
    times(out, style, record)
}

fn heading(out: &mut impl Write, style: Style, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style.paint(Ink::Heading, text))
}

fn tunnel_service(out: &mut impl Write, style: Style, record: &Record, seen: &Seen) -> io::Result<()> {
    let lengths = seen.message_lengths();
    heading(out, style, "What the tunnel service saw")?;
    writeln!(out, "  {} requests with tunnel IDs, from where they came, and when", seen.requests())?;
    if let (Some(least), Some(most)) = (lengths.iter().min(), lengths.iter().max()) {
        writeln!(out, "  {} sealed messages of {least} to {most} bytes", lengths.len())?;
    }
    heading(out, style, &format!("What was searched for in these {} bytes, and is not there", seen.bytes()))?;
    for (what, leaked) in findings(&record.private, seen) {
        if leaked {
            writeln!(out, "  {}", style.paint(Ink::Bad, &format!("{what}: IT IS THERE")))?;
        } else {
            writeln!(out, "  {what}")?;
        }
    }
    Ok(())
}

/// Whether each private thing, or one of several of a kind, stands in what was seen.
pub(crate) fn findings(private: &[Private], seen: &Seen) -> Vec<(&'static str, bool)> {
    let mut findings: Vec<(&'static str, bool)> = Vec::new();
    for Private { what, bytes, in_parts } in private {
        let leaked = if *in_parts { seen.contains_any_run(bytes, RUN) } else { seen.contains(bytes) };
        match findings.iter_mut().find(|(known, _)| known == what) {
            Some((_, found)) => *found |= leaked,
            None => findings.push((what, leaked)),
        }
    }
    findings
}

fn times(out: &mut impl Write, style: Style, record: &Record) -> io::Result<()> {
    let columns = [record.registration, record.sign_in];
    let head = format!("{:<36}{:>14}{:>12}", "Milliseconds", "registration", "sign-in");
    heading(out, style, &head)?;
    let rows: [(&str, fn(&Milestones) -> Option<Duration>); 5] = [
        ("laptop draws the code", |times| Some(times.shown?.saturating_sub(times.begun))),
        ("phone reads it, dials, is heard", |times| Some(times.nearby?.saturating_sub(times.shown?))),
        ("laptop dials, handshake, description", |times| {
            Some(times.connected?.saturating_sub(times.nearby?))
        }),
        ("request, signature, verification", |times| Some(times.verified?.saturating_sub(times.connected?))),
        ("altogether", |times| Some(times.verified?.saturating_sub(times.begun))),
    ];
    for (what, time) in rows {
        let [registration, sign_in] = columns.map(|times| cell(times.as_ref().and_then(time)));
        writeln!(out, "  {what:<36}{registration:>12}{sign_in:>12}")?;
    }
    Ok(())
}

fn cell(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1000.0))
}
