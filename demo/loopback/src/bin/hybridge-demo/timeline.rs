//! Tells what happens while it happens.

use std::{
    io::{self, Write},
    time::Duration,
};

use hybridge_ble::sim::{Air, TraceKind};
use hybridge_client::Progress;
use hybridge_demo::{
    journal::{Entry, Event},
    laptop::LaptopEvent,
    website::{Website, WebsiteEvent},
    world::DOMAIN,
};
use hybridge_picture::Palette;

use crate::{
    args::Args,
    sentences::{Actor, Line, line},
    style::{Ink, Style},
};

/// Columns of a sentence, so that lines fit into 80.
const SENTENCE: usize = 56;
/// Columns before a sentence: time, two spaces, actor, two spaces.
const MARGIN: usize = 6 + 2 + 14 + 2;

/// Writes lines for people.
pub(crate) struct Timeline<W> {
    out: W,
    style: Style,
    air: Air,
}

/// What stands above a timeline.
pub(crate) struct Introduction<'a> {
    pub(crate) args: &'a Args,
    pub(crate) seed: u64,
    /// The tunnel service's.
    pub(crate) host: &'a str,
    /// How long it took to make the world.
    pub(crate) ready: Duration,
}

/// How the phone's latest advert came to the laptop.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    /// Packets of it that did not arrive.
    pub(crate) lost: usize,
    /// Adverts of others that arrived meanwhile.
    pub(crate) foreign: usize,
}

impl<W: Write> Timeline<W> {
    pub(crate) const fn new(out: W, style: Style, air: Air) -> Self {
        Self { out, style, air }
    }

    /// Tells one event.
    pub(crate) fn tell(&mut self, entry: &Entry) -> io::Result<()> {
        match &entry.event {
            Event::Website(WebsiteEvent::AsksForPasskey { .. }) => self.begin("Registration")?,
            Event::Website(WebsiteEvent::AsksForSignature) => self.begin("Sign-in")?,
            Event::Laptop(LaptopEvent::Progress(Progress::PhoneNearby(_))) => {
                let passage = Passage::of(&self.air);
                self.write(entry.at, &passage.line())?;
            }
            _ => {}
        }
        if let Some(line) = line(&entry.event) {
            self.write(entry.at, &line)?;
        }
        if let Event::Laptop(LaptopEvent::Shows(shown)) = &entry.event {
            let palette = if self.style.is_coloured() { Palette::Coloured } else { Palette::LightOnDark };
            writeln!(self.out)?;
            for row in shown.picture.to_terminal(palette).lines() {
                writeln!(self.out, "{:MARGIN$}{row}", "")?;
            }
            writeln!(self.out)?;
        }
        self.out.flush()
    }

    /// Says what this is, before anything happens.
    pub(crate) fn introduce(&mut self, introduction: &Introduction<'_>) -> io::Result<()> {
        let Introduction { args, seed, host, ready } = introduction;
        let title = "A passkey on a phone, used on a laptop: the FIDO hybrid transport in one process";
        writeln!(self.out, "{}", self.style.paint(Ink::Heading, title))?;
        writeln!(self.out, "  website         https://{}, verified by webauthn-rs", Website::ID)?;
        writeln!(self.out, "  tunnel service  {host} (domain {DOMAIN}), over TLS in memory")?;
        let (loss, phones) = (args.loss.get(), args.phones);
        writeln!(
            self.out,
            "  air             simulated; loss {loss}; other phones that advertise: {phones}"
        )?;
        writeln!(self.out, "  seed            {seed}")?;
        writeln!(self.out, "  ready           after {} ms", ready.as_millis())
    }

    /// Where to write what comes after, and how.
    pub(crate) const fn parts(&mut self) -> (&mut W, Style) {
        (&mut self.out, self.style)
    }

    fn begin(&mut self, ceremony: &str) -> io::Result<()> {
        let head = format!("{:>6}  {:<14}  {ceremony}", "ms", "who");
        writeln!(self.out, "\n{}", self.style.paint(Ink::Heading, &head))
    }

    fn write(&mut self, at: Duration, line: &Line) -> io::Result<()> {
        let Line { actor, what, learned } = line;
        let time = self.style.paint(Ink::Faint, &format!("{:>6}", at.as_millis()));
        let name = self.style.paint(actor.ink(), &format!("{:<14}", actor.name()));
        for (number, row) in wrap(what).iter().enumerate() {
            match number {
                0 => writeln!(self.out, "{time}  {name}  {row}")?,
                _ => writeln!(self.out, "{:MARGIN$}{row}", "")?,
            }
        }
        if let Some(learned) = learned {
            writeln!(self.out, "{:MARGIN$}{}", "", self.style.paint(Ink::Faint, &format!("→ {learned}")))?;
        }
        Ok(())
    }
}

impl Passage {
    /// Looks up how the phone's latest advert reached the laptop, or failed to.
    pub(crate) fn of(air: &Air) -> Self {
        let mut passage = Self::default();
        let mut arrived = false;
        for event in air.trace() {
            match (&*event.device, event.kind) {
                ("laptop", TraceKind::ScanStarted { .. }) => (passage, arrived) = (Self::default(), false),
                ("laptop", TraceKind::Heard { from, .. }) if *from == *"phone" => arrived = true,
                ("laptop", TraceKind::Heard { .. }) if !arrived => passage.foreign += 1,
                ("laptop", TraceKind::Lost { from, .. }) if *from == *"phone" && !arrived => {
                    passage.lost += 1
                }
                _ => {}
            }
        }
        passage
    }

    fn line(&self) -> Line {
        let mut what = String::from("brings the advert to the laptop");
        match self.lost {
            0 => {}
            1 => what.push_str(", after losing it once"),
            lost => what.push_str(&format!(", after losing it {lost} times")),
        }
        if self.foreign > 0 {
            what.push_str(&format!(", among strangers' adverts ({} heard)", self.foreign));
        }
        Line::new(Actor::Air, what)
    }
}

/// Breaks a sentence between words.
fn wrap(text: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in text.split(' ') {
        let Some(row) = rows.last_mut() else { break };
        let length = row.chars().count() + word.chars().count();
        if row.is_empty() {
            row.push_str(word);
        } else if length < SENTENCE {
            row.push(' ');
            row.push_str(word);
        } else {
            rows.push(word.to_owned());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_between_words() {
        assert_eq!(wrap("short enough"), ["short enough"]);
        let (full, more) = ("x".repeat(SENTENCE), "y".repeat(SENTENCE + 1));
        assert_eq!(wrap(&format!("{full} {more} z")), [full, more, "z".to_owned()]);
        let exact = format!("{} b", "a".repeat(SENTENCE - 2));
        assert_eq!(wrap(&exact), [exact]);
    }

    #[tokio::test(start_paused = true)]
    async fn losses_and_strangers_are_counted_until_the_advert_arrives() {
        use hybridge_ble::{Advertisement, Advertiser, Scan, Scanner, ServiceUuid};

        let air = Air::new(1);
        let advert = |byte| Advertisement::new(ServiceUuid::Fido, vec![byte; 20]);
        let (laptop, phone, stranger) = (air.device("laptop"), air.device("phone"), air.device("stranger"));
        let mut scan = laptop.scan().await.unwrap();
        let _noise = stranger.advertise(advert(1)).await.unwrap();
        for _ in 0..3 {
            scan.next().await.unwrap();
        }
        let _signal = phone.advertise(advert(2)).await.unwrap();
        while scan.next().await.unwrap().data != [2; 20] {}
        let arrived = Passage::of(&air);
        assert!(arrived.foreign >= 3 && arrived.lost == 0, "{arrived:?}");
        for _ in 0..10 {
            scan.next().await.unwrap();
        }
        assert_eq!(Passage::of(&air), arrived, "what comes later does not count");
    }
}
