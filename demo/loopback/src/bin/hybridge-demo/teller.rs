//! Listens to a world, and tells, draws and remembers what happens in it.

use std::{
    fs::File,
    io::{self, StdoutLock, Write},
};

use hybridge_demo::{
    journal::{Entry, Event},
    laptop::LaptopEvent,
    world::World,
};

use crate::{
    args::Args,
    error::Failure,
    evidence::Evidence,
    record::Record,
    style::Style,
    summary,
    timeline::{Introduction, Timeline},
};

/// What becomes of events.
#[derive(Default)]
pub(crate) struct Teller {
    pub(crate) record: Record,
    /// Where the first code goes.
    png: Option<File>,
    /// Where people read.
    timeline: Option<Timeline<StdoutLock<'static>>>,
}

impl Teller {
    /// Makes the file for the picture, empty until there is a code: one that cannot be written is reported before
    /// anything else happens.
    pub(crate) fn open_picture(&mut self, args: &Args) -> Result<(), Failure> {
        self.png = args.png.as_deref().map(File::create).transpose().map_err(Failure::Picture)?;
        Ok(())
    }

    /// Begins to tell people.
    pub(crate) fn introduce(
        &mut self,
        world: &World,
        introduction: &Introduction<'_>,
    ) -> Result<(), Failure> {
        let timeline = Timeline::new(io::stdout().lock(), Style::of(&io::stdout()), world.air.clone());
        self.timeline.insert(timeline).introduce(introduction).map_err(Failure::Output)
    }

    /// Takes one event.
    pub(crate) fn hear(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.record.note(entry);
        if let Event::Laptop(LaptopEvent::Shows(shown)) = &entry.event
            && let Some(mut file) = self.png.take()
        {
            file.write_all(&shown.png).map_err(Failure::Picture)?;
        }
        match &mut self.timeline {
            Some(timeline) => timeline.tell(entry).map_err(Failure::Output),
            None => Ok(()),
        }
    }

    /// Sums up, and fails if the tunnel service saw what it should not.
    pub(crate) fn conclude(&mut self, world: &World) -> Result<(), Failure> {
        let evidence = Evidence::gather(&self.record, world.tunnel_service.seen());
        if let Some(timeline) = &mut self.timeline {
            summary::write(timeline, &self.record, &evidence).map_err(Failure::Output)?;
        }
        evidence.leak().map_or(Ok(()), |what| Err(Failure::Leaked(what)))
    }
}
