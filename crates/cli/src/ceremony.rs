//! `hybridge get` and `hybridge create`: one ceremony with a phone.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use hybridge_client::{
    CtapChannel, Hint, Session, SessionConfig,
    webauthn::{Assertion, Creation, CreationOptions, Origin, RequestOptions},
};
use hybridge_tunnel::WebSocketDialer;
use tokio::{
    pin, runtime,
    sync::mpsc,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::args::CeremonyArgs;

pub(crate) mod display;
pub(crate) mod error;
pub(crate) mod events;
mod gui;
pub(crate) mod lines;
mod person;
mod picture_file;
pub(crate) mod setup;
pub(crate) mod step;
pub(crate) mod stop;
pub(crate) mod terminal;

use display::{Display, Parties};
use error::Error;
use events::Bluetooth;
use gui::{Answer, Gui};
use person::Person;
use step::News;
use stop::Stop;

/// How long the input may take that says how long the rest may take.
const READING: Duration = Duration::from_mins(10);
/// How long to wait for the goodbye to the phone; a session ends within a second.
const FAREWELL: Duration = Duration::from_secs(2);
/// How much later than the search for a phone everything ends, as the search knows better why it found none.
const GRACE: Duration = Duration::from_secs(1);

/// How much patience is left at least when it is worth to try again.
const WORTH_TRYING: Duration = Duration::from_secs(10);

/// Characters of an account's name at most that a person gets to see.
const MAX_USER_NAME: usize = 256;

/// Understands the options.
type Reader = fn(&Origin, &[u8]) -> Result<Asked, Error>;

/// What the phone is asked for.
#[derive(Clone)]
enum Asked {
    Creation(Box<Creation>),
    Assertion(Box<Assertion>),
}

/// `hybridge get`.
pub(crate) fn get(args: CeremonyArgs) -> ExitCode {
    run(args, "sign in to", |origin, json| {
        let options = RequestOptions::from_json(json)?;
        Ok(Asked::Assertion(Box::new(Assertion::new(origin, &options)?)))
    })
}

/// `hybridge create`.
pub(crate) fn create(args: CeremonyArgs) -> ExitCode {
    run(args, "make a passkey for", |origin, json| {
        let options = CreationOptions::from_json(json)?;
        Ok(Asked::Creation(Box::new(Creation::new(origin, options)?)))
    })
}

fn run(args: CeremonyArgs, purpose: &'static str, read: Reader) -> ExitCode {
    let mut display = Display::new(&args, purpose);
    let outcome = with_runtime(&args, read, &mut display);
    // Nobody is left to tell if this fails.
    let _ = display.end(outcome.as_ref().err());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.kind().exit_code(),
    }
}

fn with_runtime(args: &CeremonyArgs, read: Reader, display: &mut Display) -> Result<(), Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "event loop", source })?;
    let outcome = runtime.block_on(async {
        let mut stop = Stop::new().map_err(|source| Error::System { what: "signals", source })?;
        let ceremony = Ceremony::prepare(args, read, &mut stop).await?;
        let mut person = Person { stop, answers: None };
        if args.gui {
            ceremony.open_window(display, &mut person)?;
        }
        ceremony.hold(args, display, &mut person).await
    });
    // Whoever reads a file or looks up a name cannot be interrupted, and need not be waited for.
    runtime.shutdown_background();
    outcome
}

/// Reads something that may not end, until there is no patience left or a signal comes.
async fn in_time<T: Send + 'static>(
    what: &'static str,
    limit: Duration,
    stop: &mut Stop,
    read: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = stop.wait() => Err(Error::Cancelled),
        read = spawn_blocking(read) => read.unwrap_or_else(|error| Err(Error::ReadInput(error.into()))),
        () = sleep(limit) => Err(Error::Unfinished { what, limit }),
    }
}

/// A ceremony whose input is read and checked.
struct Ceremony {
    origin: Origin,
    asked: Asked,
    /// Whose passkey will be made, in the website's words.
    user: Option<String>,
    dialer: WebSocketDialer,
    patience: Duration,
    /// When the patience began.
    since: Instant,
}

impl Ceremony {
    async fn prepare(args: &CeremonyArgs, read: Reader, stop: &mut Stop) -> Result<Self, Error> {
        let started = Instant::now();
        let limit = args.timeout.unwrap_or(READING);
        let origin = Origin::parse(&args.origin)?;
        if let Some(file) = &args.qr_png {
            picture_file::check_free(file).map_err(Error::from_picture)?;
        }
        let file = args.reach.dangerous_relay_ca.clone();
        let dialer =
            in_time("the certificate file", limit, stop, move || setup::dialer(file.as_deref())).await?;
        let left = limit.saturating_sub(started.elapsed());
        let json = in_time("standard input", left, stop, setup::read_options).await?;
        let asked = read(&origin, &json)?;
        let user = user_name(&json);
        let (patience, since) = match args.timeout {
            Some(timeout) => (timeout, started),
            None => (asked.timeout(), Instant::now()),
        };
        Ok(Self { origin, asked, user, dialer, patience, since })
    }

    /// How long there is still patience.
    fn left(&self) -> Duration {
        self.patience.saturating_sub(self.since.elapsed())
    }

    /// Opens the window, and says there who asks.
    fn open_window(&self, display: &mut Display, person: &mut Person) -> Result<(), Error> {
        let mut gui = Gui::open()?;
        let operation = match self.asked {
            Asked::Creation(_) => "create",
            Asked::Assertion(_) => "get",
        };
        let parties = (self.origin.as_str(), self.asked.rp_id());
        gui::phone_wanted(&mut gui, operation, parties, self.user.as_deref());
        (display.window, person.answers) = (Some(gui.events), Some(gui.answers));
        Ok(())
    }

    /// Tries until it succeeds, or the person at the window does not want to try again.
    async fn hold(
        &self,
        args: &CeremonyArgs,
        display: &mut Display,
        person: &mut Person,
    ) -> Result<(), Error> {
        loop {
            let Err(error) = self.attempt(args, display, person).await else { return Ok(()) };
            let worth_it = person.answers.is_some() && self.left() >= WORTH_TRYING;
            if !worth_it || !error.kind().may_pass() {
                return Err(error);
            }
            display.offer_retry(&error);
            if !self.wants_retry(args, display, person).await? {
                return Err(error);
            }
        }
    }

    /// Does what the person at the window says to a failure. Whoever closes it, or says nothing for too long, wants no more.
    /// A signal is an error, and so is a window that there never was: nobody has seen the failure.
    async fn wants_retry(
        &self,
        args: &CeremonyArgs,
        display: &mut Display,
        person: &mut Person,
    ) -> Result<bool, Error> {
        let adapter = args.reach.adapter.as_deref();
        loop {
            match timeout(self.left(), person.answer()).await {
                Ok(Ok(Answer::Retry)) => return Ok(true),
                Ok(Ok(Answer::BluetoothOn)) => {
                    let bluetooth = tokio::select! {
                        biased;
                        () = person.stop.wait() => return Err(Error::Cancelled),
                        bluetooth = Bluetooth::switch_on(adapter) => bluetooth,
                    };
                    display.bluetooth(bluetooth);
                }
                Ok(Err(why @ (Error::Cancelled | Error::NoDisplay))) => return Err(why),
                _ => return Ok(false),
            }
        }
    }

    /// One session with a phone.
    async fn attempt(
        &self,
        args: &CeremonyArgs,
        display: &mut Display,
        person: &mut Person,
    ) -> Result<(), Error> {
        let dialer = setup::rerouted(self.dialer.clone(), args.reach.dangerous_relay_addr.as_ref());
        let radios = setup::radios(args.reach.adapter.as_deref(), args.reach.l2cap);
        let both = timeout(self.left(), async { Ok((dialer.await?, radios.await.map_err(Error::Radio)?)) });
        let (dialer, radios) = tokio::select! {
            biased;
            why = person.ends_it() => return Err(why),
            both = both => both.unwrap_or(Err(Error::TimedOut(self.patience)))?,
        };
        let mut config = SessionConfig::new(self.asked.hint());
        config.timing.search = self.left();
        config.l2cap = radios.connector;
        config.l2cap_framing = args.reach.l2cap_framing.into();
        let session = Session::start(config, radios.scanner, Arc::new(dialer))?;
        let over = session.over();
        let outcome = self.meet(session, display, person).await;
        display.clear();
        // The phone gets its goodbye, whatever happened.
        let _ = timeout(FAREWELL, over).await;
        outcome
    }

    /// Lets the phone answer, and puts its answer out.
    async fn meet(&self, session: Session, display: &mut Display, person: &mut Person) -> Result<(), Error> {
        let left = self.left();
        let Self { origin, asked, patience, .. } = self;
        let parties = Parties { origin: origin.as_str(), rp_id: asked.rp_id() };
        let (tell, mut news) = mpsc::unbounded_channel();
        let answer = async {
            let connecting = session.connect(move |progress| {
                // Fails only when nobody looks any more.
                let _ = News::from_progress(progress).map(|news| tell.send(news));
            });
            let mut phone = connecting.await?;
            phone.request_timeout = left;
            asked.clone().ask(&mut phone).await
        };
        let answer = timeout(left.saturating_add(GRACE), answer);
        pin!(answer);
        let credential = loop {
            tokio::select! {
                biased;
                why = person.ends_it() => return Err(why),
                Some(news) = news.recv() => display.take(news, parties)?,
                answered = &mut answer => break answered.unwrap_or(Err(Error::TimedOut(*patience)))?,
            }
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(&credential).and_then(|()| stdout.flush()).map_err(Error::WriteCredential)
    }
}

/// The name of the account that the options are about, if they say one: for people to see, so no more of it than they would
/// read.
fn user_name(json: &[u8]) -> Option<String> {
    let options: serde_json::Value = serde_json::from_slice(json).ok()?;
    let name = |path| options.pointer(path).and_then(serde_json::Value::as_str);
    let name = name("/user/name").or_else(|| name("/publicKey/user/name"))?;
    Some(name.chars().take(MAX_USER_NAME).collect())
}

impl Asked {
    const fn hint(&self) -> Hint {
        match self {
            Self::Creation(_) => Hint::MakeCredential,
            Self::Assertion(_) => Hint::GetAssertion,
        }
    }

    fn rp_id(&self) -> &str {
        match self {
            Self::Creation(creation) => creation.rp_id(),
            Self::Assertion(assertion) => assertion.rp_id(),
        }
    }

    fn timeout(&self) -> Duration {
        match self {
            Self::Creation(creation) => creation.timeout(),
            Self::Assertion(assertion) => assertion.timeout(),
        }
    }

    /// The credential as a line of JSON.
    async fn ask(self, phone: &mut CtapChannel) -> Result<Vec<u8>, Error> {
        let written = match self {
            Self::Creation(creation) => serde_json::to_vec(&creation.run(phone).await?),
            Self::Assertion(assertion) => serde_json::to_vec(&assertion.run(phone).await?),
        };
        let mut line = written.map_err(|error| Error::WriteCredential(error.into()))?;
        line.push(b'\n');
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_account_is_found_and_cut() {
        let name = |json: String| user_name(json.as_bytes());
        assert_eq!(name(r#"{"user":{"name":"ada"}}"#.to_owned()), Some("ada".to_owned()));
        let long = name(format!(r#"{{"publicKey":{{"user":{{"name":"{}"}}}}}}"#, "ä".repeat(100_000)));
        assert_eq!(long, Some("ä".repeat(MAX_USER_NAME)));
        for none in ["{}", "[", r#"{"user":{"name":7}}"#, r#"{"user":"ada"}"#] {
            assert_eq!(name(none.to_owned()), None, "{none}");
        }
    }
}
