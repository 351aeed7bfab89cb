//! What a run comes to, for people.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::{
    evidence::Evidence,
    record::Record,
    style::{Ink, Style},
    timeline::Timeline,
};

/// Writes the summary behind the timeline.
pub(crate) fn write<W: Write>(
    timeline: &mut Timeline<W>,
    record: &Record,
    evidence: &Evidence,
) -> io::Result<()> {
    let (out, style) = timeline.parts();
    heading(out, style, "Verified by the website")?;
    let verdict = |good| if good { style.paint(Ink::Good, "yes") } else { style.paint(Ink::Bad, "no") };
    writeln!(out, "  registered  {}", verdict(record.registered()))?;
    let name = record.signed_in_as.as_deref().map(|name| format!(", as {name:?}")).unwrap_or_default();
    writeln!(out, "  signed in   {}{name}", verdict(record.signed_in()))?;
    tunnel_service(out, style, evidence)?;
    times(out, style, record)
}

fn heading(out: &mut impl Write, style: Style, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style.paint(Ink::Heading, text))
}

fn tunnel_service(out: &mut impl Write, style: Style, evidence: &Evidence) -> io::Result<()> {
    let Evidence { requests, tunnel_ids, message_lengths, bytes, private } = evidence;
    heading(out, style, "What the tunnel service saw")?;
    let ids = count(*tunnel_ids, "tunnel ID");
    writeln!(out, "  {} with {ids}, and where they came from", count(*requests, "request"))?;
    if let (Some(least), Some(most)) = (message_lengths.iter().min(), message_lengths.iter().max()) {
        let messages = count(message_lengths.len(), "sealed message");
        writeln!(out, "  {messages} of {least} to {most} bytes, and when they were sent")?;
    }
    heading(out, style, &format!("Searched for in all {bytes} bytes that it received"))?;
    for (what, found) in private {
        let verdict = if *found { style.paint(Ink::Bad, "FOUND    ") } else { "not there".to_owned() };
        writeln!(out, "  {verdict}  {what}")?;
    }
    Ok(())
}

fn times(out: &mut impl Write, style: Style, record: &Record) -> io::Result<()> {
    let head = format!("{:<36}{:>14}{:>12}", "Milliseconds", "registration", "sign-in");
    heading(out, style, &head)?;
    let [registration, sign_in] =
        [record.registration, record.sign_in].map(|times| times.unwrap_or_default().spans());
    let what = [
        "laptop draws the code",
        "phone reads it, dials, is heard",
        "laptop dials, handshake, description",
        "request, signature, verification",
        "altogether",
    ];
    for ((what, registration), sign_in) in what.into_iter().zip(registration).zip(sign_in) {
        writeln!(out, "  {what:<36}{:>12}{:>12}", cell(registration), cell(sign_in))?;
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn cell(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1000.0))
}
