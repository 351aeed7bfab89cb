//! One run of the program: makes a world, lets two ceremonies happen in it, and tells of them.

use std::{
    fs::File,
    io::{self, StdoutLock, Write},
    path::Path,
};

use getrandom::SysRng;
use hybridge_ble::sim::Air;
use hybridge_demo::{
    ceremony::Outcome,
    journal::{Entry, Event, Journal},
    laptop::LaptopEvent,
    world::{World, WorldOptions},
};
use rand_core::TryRng;
use tokio::{runtime::Runtime, sync::mpsc::UnboundedReceiver};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    args::Args,
    error::{CeremonyFailure, Failure},
    record::Record,
    report::Report,
    style::Style,
    summary,
    timeline::{Passage, Timeline},
};

/// 2026-01-01 00:00:00 UTC, the time in the codes of runs that are to be repeated.
const REPEATABLE_TIME: u64 = 1_767_225_600;
/// Whose passkey it is.
const USER: &str = "ada";

/// Does what the arguments ask for.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    start_log(args.log.as_deref())?;
    let seed = match args.seed {
        Some(seed) => seed,
        // Small enough to be typed.
        None => u64::from(SysRng.try_next_u32().map_err(|_| Failure::Randomness)?),
    };
    let runtime = Runtime::new().map_err(Failure::Runtime)?;
    runtime.block_on(demonstrate(args, seed))
}

/// Nothing is logged unless somebody asks: what happens is told anyway.
fn start_log(filter: Option<&str>) -> Result<(), Failure> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::OFF.into());
    let filter = match filter {
        Some(filter) => builder.parse(filter).map_err(Failure::Log)?,
        None => builder.from_env_lossy(),
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    Ok(())
}

async fn demonstrate(args: &Args, seed: u64) -> Result<(), Failure> {
    let (journal, entries) = Journal::begin();
    let mut teller = Teller { record: Record::default(), png: create(args.png.as_deref())?, timeline: None };
    let result = tell_all(args, seed, &mut teller, journal.clone(), entries).await;
    if args.json {
        let report = Report::new(&teller.record, seed, journal.started().elapsed(), result.as_ref().err());
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &report).map_err(|error| Failure::Output(error.into()))?;
        writeln!(out).map_err(Failure::Output)?;
    }
    result
}

/// Empty until there is a code: a name that cannot be written is reported before anything else happens.
fn create(png: Option<&Path>) -> Result<Option<File>, Failure> {
    png.map(File::create).transpose().map_err(Failure::Picture)
}

async fn tell_all(
    args: &Args,
    seed: u64,
    teller: &mut Teller,
    journal: Journal,
    mut entries: UnboundedReceiver<Entry>,
) -> Result<(), Failure> {
    let world = World::new(WorldOptions {
        seed,
        loss: args.loss,
        phones: args.phones.into(),
        search: args.search,
        code_time: args.seed.map(|_| REPEATABLE_TIME),
        journal,
    })
    .await?;
    if !args.json {
        let mut timeline = Timeline::new(io::stdout().lock(), Style::of_stdout(), world.air.clone());
        timeline.introduce(args, seed, world.tunnel_service.host()).map_err(Failure::Output)?;
        teller.timeline = Some(timeline);
    }
    let mut happening = tokio::spawn(ceremonies(world));
    let ended = loop {
        tokio::select! {
            biased;
            Some(entry) = entries.recv() => teller.hear(&entry)?,
            ended = &mut happening => break ended,
        }
    };
    let (world, result) = ended.map_err(Failure::Broken)?;
    while let Ok(entry) = entries.try_recv() {
        teller.hear(&entry)?;
    }
    if let Some(timeline) = &mut teller.timeline {
        let summarized = summary::write(timeline, &teller.record, world.tunnel_service.seen());
        summarized.map_err(Failure::Output)?;
    }
    result
}

/// A registration, and if it works, a sign-in with the new passkey.
async fn ceremonies(mut world: World) -> (World, Result<(), Failure>) {
    let outcome = world.register(USER).await;
    let mut result = judge("the registration", outcome, &world.air);
    if result.is_ok() {
        let outcome = world.sign_in().await;
        result = judge("the sign-in", outcome, &world.air);
    }
    (world, result)
}

/// Both sides have to be content.
fn judge<T>(ceremony: &'static str, outcome: Outcome<T>, air: &Air) -> Result<(), Failure> {
    let (laptop, phone) = (outcome.laptop.err(), outcome.phone.err());
    if laptop.is_none() && phone.is_none() {
        return Ok(());
    }
    let lost = Passage::of(air).lost;
    Err(Failure::Ceremony(Box::new(CeremonyFailure { ceremony, laptop, phone, lost })))
}

/// Takes note of what happens, and passes it on.
struct Teller {
    record: Record,
    /// Where the first code goes.
    png: Option<File>,
    timeline: Option<Timeline<StdoutLock<'static>>>,
}

impl Teller {
    fn hear(&mut self, entry: &Entry) -> Result<(), Failure> {
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
}
