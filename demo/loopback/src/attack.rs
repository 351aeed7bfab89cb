//! Attacks on a sign-in, each with a name: who tries what, and who refuses it.
//!
//! An attack runs in a world of its own with a website, its owner's registered phone, a simulated air and a tunnel
//! service behind TLS. The defenders are the real ones: `hybridge-client`, `hybridge-authenticator`, the websocket
//! dialer, the tunnel service, `webauthn-rs`. Only what the attacker controls is exchanged: messages in the hands of a
//! hostile tunnel service, adverts, a whole phone or laptop.
//!
//! An attack counts as refused only if
//!
//! - the same ceremony works without the manipulation (the control of its family, run first),
//! - the error that is meant to stop it was reported by the side that is meant to report it,
//! - no request reached an honest phone's passkeys but those of honest laptops,
//! - the website signed in nobody but the owner, and the owner only where the attack says so.
//!
//! What none of this can stop: somebody who carries the advert from phone to laptop by radio, over any distance, beats
//! the proximity check; it proves that the advert was heard, not how far it travelled. And somebody who sees a code
//! for a *registration* and is near can answer it with a phone of their own.

use std::{
    future::Future,
    io::{self, Write},
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

mod adverts;
mod by_laptops;
mod by_phones;
mod catalogue;
mod codes;
mod control;
mod crowds;
mod failure;
mod hostile_device;
mod hostile_laptop;
mod hostile_phone;
mod hostile_service;
mod laptop;
mod links;
mod meddling;
mod messages;
mod network;
mod noise;
mod offers;
mod phone;
mod report;
mod scene;
mod services;
mod sizes;
mod swaps;

use self::{control::Family, failure::Setup, report::failure_json, scene::Scene};
pub use self::{
    failure::Failure,
    report::{Party, Refusal, Report},
};

/// How long an attack may take, its control included.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What the refusals are, or why it is none.
type Verdict = Result<Vec<Refusal>, Failure>;
type Running<'s> = Pin<Box<dyn Future<Output = Verdict> + 's>>;

/// An attack that can be tried.
pub struct Attack {
    /// Its stable name, in lower case with hyphens.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub description: &'static str,
    family: Family,
    /// Whether the owner signs in all the same.
    owner_signs_in: bool,
    run: for<'s> fn(&'s Scene) -> Running<'s>,
}

/// All attacks.
pub fn all() -> &'static [Attack] {
    catalogue::ATTACKS
}

/// Tries the attack of this name. Everything random that is not a library's own follows from `seed`.
///
/// Takes at most [`LIMIT`]. Works in real time and in tokio's paused time. Must be called within a tokio runtime.
///
/// # Errors
/// [`Failure`] unless the attack was refused as it should be.
pub async fn attempt(name: &str, seed: u64) -> Result<Report, Failure> {
    let attack = all().iter().find(|attack| attack.name == name);
    let attack = attack.ok_or_else(|| Failure::Unknown(name.to_owned()))?;
    timeout(LIMIT, attack.attempt(seed)).await.unwrap_or(Err(Failure::Hung))
}

/// Does what the option `--attack` asks for: prints all names, one a line, if the name is `list`, else tries the attack
/// of this name and prints what came of it, as one JSON object if `json`. The answer is whether the program succeeded.
///
/// # Errors
/// Those of `out`.
pub async fn run(name: &str, seed: u64, json: bool, out: &mut impl Write) -> io::Result<bool> {
    if name == "list" {
        all().iter().try_for_each(|attack| writeln!(out, "{}", attack.name))?;
        return Ok(true);
    }
    let outcome = attempt(name, seed).await;
    match &outcome {
        Ok(report) if json => writeln!(out, "{}", report.to_json())?,
        Ok(report) => report.print(out)?,
        Err(failure) if json => writeln!(out, "{}", failure_json(name, failure))?,
        Err(failure @ Failure::Unknown(_)) => writeln!(out, "{failure}")?,
        Err(failure) => writeln!(out, "{name}: NOT REFUSED\n  {failure}")?,
    }
    Ok(outcome.is_ok())
}

impl Attack {
    async fn attempt(&self, seed: u64) -> Result<Report, Failure> {
        let started = Instant::now();
        self.family.control(seed).await.map_err(|failure| Failure::Control(Box::new(failure)))?;
        let control = started.elapsed();
        let scene = Scene::set(seed).await?;
        let started = Instant::now();
        let refusals = (self.run)(&scene).await?;
        let owner_signed_in = scene.damage()?;
        if refusals.is_empty() {
            return Err(Failure::Succeeded("nobody refused anything".to_owned()));
        }
        match (self.owner_signs_in, owner_signed_in) {
            (true, false) => return Err(Setup::from("the owner did not sign in all the same").into()),
            (false, true) => return Err(Failure::Succeeded("the owner signed in through it".to_owned())),
            _ => {}
        }
        Ok(Report {
            name: self.name,
            description: self.description,
            did: scene.deeds(),
            refusals,
            owner_signed_in,
            control,
            took: started.elapsed(),
        })
    }
}

/// Locks what no panic can leave half done.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
