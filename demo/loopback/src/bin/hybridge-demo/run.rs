//! One run of the program: makes a world, lets two ceremonies happen in it, and tells of them.

use std::io::{self, Write};

use getrandom::SysRng;
use hybridge_ble::sim::Air;
use hybridge_demo::{
    attack,
    ceremony::Outcome,
    journal::{Entry, Journal},
    world::{World, WorldOptions},
};
use rand_core::TryRng;
use tokio::{runtime::Runtime, sync::mpsc::UnboundedReceiver};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    args::Args,
    error::{CeremonyFailure, Failure},
    report::Report,
    style::Style,
    teller::Teller,
    timeline::{Introduction, Passage},
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
    match &args.attack {
        Some(name) => runtime.block_on(attack(name, args.json, seed)),
        None => runtime.block_on(demonstrate(args, seed)),
    }
}

async fn attack(name: &str, json: bool, seed: u64) -> Result<(), Failure> {
    let refused = attack::run(name, seed, json, &mut io::stdout().lock()).await;
    if refused.map_err(Failure::Output)? { Ok(()) } else { Err(Failure::Attack) }
}

/// Nothing is logged unless somebody asks: what happens is told anyway.
fn start_log(filter: Option<&str>) -> Result<(), Failure> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::OFF.into());
    let filter = match filter {
        Some(filter) => builder.parse(filter).map_err(Failure::Log)?,
        None => builder.from_env_lossy(),
    };
    let coloured = Style::of(&io::stderr()).is_coloured();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(io::stderr).init();
    Ok(())
}

async fn demonstrate(args: &Args, seed: u64) -> Result<(), Failure> {
    let (journal, entries) = Journal::begin();
    let mut teller = Teller::default();
    let result = tell_all(args, seed, &mut teller, &journal, entries).await;
    if args.json {
        let report = Report::new(&teller.record, seed, journal.started().elapsed(), result.as_ref().err());
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &report).map_err(|error| Failure::Output(error.into()))?;
        writeln!(out).map_err(Failure::Output)?;
    }
    result
}

async fn tell_all(
    args: &Args,
    seed: u64,
    teller: &mut Teller,
    journal: &Journal,
    mut entries: UnboundedReceiver<Entry>,
) -> Result<(), Failure> {
    teller.open_picture(args)?;
    let world = World::new(options(args, seed, journal)).await?;
    if !args.json {
        let (host, ready) = (world.tunnel_service.host(), journal.started().elapsed());
        teller.introduce(&world, &Introduction { args, seed, host, ready })?;
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
    // What the ceremonies came to is more telling than what is found afterwards.
    let concluded = teller.conclude(&world);
    result.and(concluded)
}

fn options(args: &Args, seed: u64, journal: &Journal) -> WorldOptions {
    WorldOptions {
        seed,
        loss: args.loss,
        phones: args.phones.into(),
        search: args.search,
        code_time: args.seed.map(|_| REPEATABLE_TIME),
        journal: journal.clone(),
    }
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
