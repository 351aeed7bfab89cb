//! `hybridge key`: a virtual security key in the foreground.

use std::{
    future::pending,
    io::{self, Write},
    process::ExitCode,
    sync::{Arc, Weak},
    time::Duration,
};

use hybridge_security_key::{
    HybridPhone, Radios, ReportChannel, SecurityKey, helper::HelperSocket, uhid::Uhid,
};
use hybridge_tunnel::WebSocketDialer;
use tokio::{
    runtime, select,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};

use crate::{
    args::{EventsForm, KeyArgs, ReachArgs},
    ceremony::{error::Error as CeremonyError, setup, stop::Stop},
};

mod error;
mod events;
mod terminal;
mod typed;
mod window;

use error::Error;
use events::EventScreen;
use terminal::TerminalScreen;
use typed::Typed;
use window::{Screen, Window};

/// How long a device lives at least that was not refused.
const ACCEPTED: Duration = Duration::from_secs(2);
/// How long to wait before a device that has gone is made again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long to wait at most.
const AT_MOST: Duration = Duration::from_secs(30);

/// How long to wait for the goodbye to a phone; a session ends within a second.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long to wait before it is looked at again whether sessions have ended.
const MOMENT: Duration = Duration::from_millis(20);

/// Runs until a signal comes or there can be no device.
pub(crate) fn run(args: &KeyArgs) -> ExitCode {
    let outcome = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System);
    let error = outcome.and_then(|runtime| {
        let error = runtime.block_on(async {
            let mut sessions = Sessions::default();
            let error = be_a_key(args, &mut sessions).await;
            // Fails only when there is no time left for that.
            let _ = timeout(FAREWELL, sessions.end()).await;
            error
        });
        // Whoever waits for a line of the terminal cannot be interrupted, and need not be waited for.
        runtime.shutdown_background();
        error
    });
    let Err(error) = error;
    // Nobody is left to tell if this fails.
    let _ = match args.events {
        Some(EventsForm::Json) => events::failed(io::stderr(), &error),
        None => writeln!(io::stderr().lock(), "hybridge: {}", error.in_one_line()),
    };
    error.exit_code()
}

/// The sessions that are not over: a task of each holds the dialer until the phone has its goodbye.
#[derive(Default)]
struct Sessions {
    dialer: Weak<WebSocketDialer>,
}

impl Sessions {
    /// Waits for their ends, once nothing but sessions holds the dialer any more.
    async fn end(&self) {
        while self.dialer.strong_count() > 0 {
            sleep(MOMENT).await;
        }
    }
}

/// Comes back only with a reason to end.
enum Never {}

async fn be_a_key(args: &KeyArgs, sessions: &mut Sessions) -> Result<Never, Error> {
    let mut stop = Stop::new().map_err(Error::System)?;
    let (mut typed, all_typed) = Typed::from_standard_input();
    let ended = async {
        let dialer = Arc::new(dialer(&args.reach).await?);
        sessions.dialer = Arc::downgrade(&dialer);
        keep_serving(args, &dialer, &mut typed).await
    };
    // Whoever shows the events is gone when nothing can come from there any more; a key that nobody can answer for is
    // none. At a terminal, an end of typing is only that.
    let left = async {
        all_typed.await;
        if args.events.is_none() {
            pending::<()>().await;
        }
    };
    select! {
        biased;
        () = stop.wait() => Err(CeremonyError::Cancelled.into()),
        () = left => Err(CeremonyError::Cancelled.into()),
        ended = ended => ended,
    }
}

async fn dialer(reach: &ReachArgs) -> Result<WebSocketDialer, Error> {
    let certificates = reach.dangerous_relay_ca.clone();
    // A file may be a pipe that nobody writes to.
    let dialer = spawn_blocking(move || setup::dialer(certificates.as_deref()));
    let dialer = dialer.await.map_err(|error| Error::System(error.into()))??;
    Ok(setup::rerouted(dialer, reach.dangerous_relay_addr.as_ref()).await?)
}

/// Makes the device again when it has gone, as it does when the kernel or the helper lets go of it.
async fn keep_serving(
    args: &KeyArgs,
    dialer: &Arc<WebSocketDialer>,
    typed: &mut Typed,
) -> Result<Never, Error> {
    let (mut accepted, mut pause) = (false, AGAIN);
    loop {
        let begun = Instant::now();
        let gone = serve(args, dialer, typed).await;
        if begun.elapsed() >= ACCEPTED {
            (accepted, pause) = (true, AGAIN);
            say_gone(args);
        } else if !accepted {
            return Err(if args.uhid.is_some() { Error::Uhid(gone) } else { Error::Helper(gone) });
        }
        typed.drop_for(pause).await;
        pause = (pause * 2).min(AT_MOST);
    }
}

/// The key goes on whether anybody reads this or not.
fn say_gone(args: &KeyArgs) {
    let line = match args.events {
        Some(EventsForm::Json) => r#"{"event":"gone"}"#,
        None => "The security key is gone. It is made again when that is possible.",
    };
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// One life of the device.
async fn serve(args: &KeyArgs, dialer: &Arc<WebSocketDialer>, typed: &mut Typed) -> io::Error {
    match args.events {
        Some(EventsForm::Json) => serve_on(EventScreen::new(io::stderr()), args, dialer, typed).await,
        None => serve_on(TerminalScreen::new(io::stderr()), args, dialer, typed).await,
    }
}

async fn serve_on(
    screen: impl Screen,
    args: &KeyArgs,
    dialer: &Arc<WebSocketDialer>,
    typed: &mut Typed,
) -> io::Error {
    match &args.uhid {
        Some(path) => match Uhid::create(path) {
            Ok(device) => serve_device(device, screen, &args.reach, dialer, typed).await,
            Err(error) => error,
        },
        None => match HelperSocket::connect(&args.socket) {
            Ok(device) => serve_device(device, screen, &args.reach, dialer, typed).await,
            Err(error) => error,
        },
    }
}

async fn serve_device(
    device: impl ReportChannel,
    screen: impl Screen,
    reach: &ReachArgs,
    dialer: &Arc<WebSocketDialer>,
    typed: &mut Typed,
) -> io::Error {
    let (adapter, l2cap, framing) = (reach.adapter.clone(), reach.l2cap, reach.l2cap_framing.into());
    let open = move || {
        let adapter = adapter.clone();
        async move {
            let setup::Radios { scanner, connector } = setup::radios(adapter.as_deref(), l2cap).await?;
            let mut radios = Radios::new(scanner);
            radios.connector = connector;
            radios.framing = framing;
            Ok(radios)
        }
    };
    let phone = HybridPhone::new(open, Arc::<WebSocketDialer>::clone(dialer));
    SecurityKey::new().serve(device, phone, Window::new(screen, reach.adapter.clone(), typed)).await
}
