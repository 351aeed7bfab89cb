//! The program: from the command line to the exit code.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use clap::Parser;
use hybridge_authenticator::{DomainId, Error as SessionError, StartError};
use hybridge_ble::bluez::SystemRadio;
use hybridge_tunnel::WebSocketDialer;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    args::{self, Args, Secret},
    codes::{Code, Codes},
    error::Error,
    events::{Event, Reporter, Style},
    person::Approval,
    phone::Phone,
    setup::Asker,
    state::{LOCK_PATIENCE, Passkeys, StateDirectory},
};

/// Runs the program that the command line describes.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return args::explain(&error),
    };
    start_log(args.log.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("the program cannot start; free some resources ({error})"));
            return ExitCode::from(3);
        }
    };
    let style = if args.events.is_some() { Style::Json } else { Style::Sentences };
    let reporter = Arc::new(Reporter::new(style, Box::new(io::stdout())));
    let outcome = runtime.block_on(run_until_signal(args, &reporter));
    // Somebody may still be reading standard input, and nothing else is left to wait for.
    runtime.shutdown_background();
    ExitCode::from(outcome)
}

/// Nothing is logged unless somebody asks: what happens is told anyway.
fn start_log(filter: Option<&str>) {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::OFF.into());
    let filter = match filter {
        Some(filter) => builder.parse_lossy(filter),
        None => builder.from_env_lossy(),
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(io::stderr).init();
}

/// For the person, beside what events tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "hybridge-phone: {line}");
}

fn fail(reporter: &Reporter, error: &Error) {
    let text = error.in_one_line();
    say(&text);
    reporter.tell(&Event::Failed { error: text, exit_code: error.exit_code() });
}

/// Gives the exit code.
async fn run_until_signal(args: Args, reporter: &Arc<Reporter>) -> u8 {
    let idle = AtomicBool::new(false);
    let outcome = tokio::select! {
        // First, so that they are caught before anything is waited for.
        biased;
        () = signalled() => Err(Error::Interrupted),
        outcome = run(args, reporter, &idle) => outcome,
    };
    match outcome {
        Ok(exit_code) => exit_code,
        // Ending a phone that has nothing to do is how it is ended.
        Err(Error::Interrupted) if idle.load(Ordering::Relaxed) => 0,
        Err(error) => {
            fail(reporter, &error);
            error.exit_code()
        }
    }
}

/// Waits for the signals that end programs.
async fn signalled() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    // A signal that cannot be caught ends the program as signals do.
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    let received = |context: &mut Context<'_>| {
        let any = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if any { Poll::Ready(()) } else { Poll::Pending }
    };
    std::future::poll_fn(received).await;
}

/// Answers codes as long as there are any, and gives the exit code of the last one. `idle` says whether the phone
/// has nothing left to do.
async fn run(args: Args, reporter: &Arc<Reporter>, idle: &AtomicBool) -> Result<u8, Error> {
    let once = args.once;
    // What is there already is looked at first, so that bad input leaves nothing behind.
    let mut codes = codes(&args).await?;
    let mut phone = phone(&args, reporter).await?;
    let mut exit_code = 0;
    loop {
        if codes.must_wait() {
            reporter.tell(&Event::WaitingForCode);
        }
        idle.store(codes.must_wait() && !once, Ordering::Relaxed);
        let next = codes.next().await;
        idle.store(false, Ordering::Relaxed);
        let outcome = match next {
            Ok(None) => return Ok(exit_code),
            Ok(Some(code)) => answer(&mut phone, &code, reporter).await,
            // Anything can stand on a screen, and what was passed over is not looked at again.
            Err(error @ Error::Code(_)) if codes.are_seen() => {
                say(&format!("a code on the screen is passed over: {}", error.in_one_line()));
                continue;
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => exit_code = 0,
            Err(error) if once || error.is_final() => return Err(error),
            Err(error) => {
                fail(reporter, &error);
                exit_code = error.exit_code();
            }
        }
        if once {
            return Ok(exit_code);
        }
    }
}

async fn answer(phone: &mut Phone, code: &Code, reporter: &Reporter) -> Result<(), Error> {
    reporter.tell(&Event::CodeRead { hint: code.hint.clone() });
    phone.answer(&code.text).await
}

async fn codes(args: &Args) -> Result<Codes, Error> {
    match (&args.image, &args.code) {
        (Some(file), _) => Codes::image(file.clone()).await,
        (None, Some(Secret(text))) if **text == "-" => Ok(Codes::standard_input()),
        (None, Some(Secret(text))) => Codes::argument(text),
        (None, None) => Codes::screen().await,
    }
}

async fn phone(args: &Args, reporter: &Arc<Reporter>) -> Result<Phone, Error> {
    let domain = DomainId::new(args.domain_id);
    domain.host().map_err(|_| SessionError::from(StartError::Unassigned(domain)))?;
    let asker = Asker::for_choice(args.approve, args.state.is_some())?;
    let dialer = Arc::new(dialer(args).await?);
    let radio = Arc::new(SystemRadio::open(args.adapter.as_deref()).await.map_err(Error::Radio)?);
    let mut passkeys = passkeys(args.state.as_deref()).await?;
    let approval = asker.approval(&mut passkeys).await?;
    warn(&approval, &passkeys);
    reporter.tell(&Event::Ready {
        passkeys: passkeys.len(),
        user_verification: approval.can_verify(),
        test_mode: matches!(approval, Approval::Always),
    });
    let advertiser = Arc::<SystemRadio>::clone(&radio);
    let mut phone = Phone::new(domain, advertiser, dialer, passkeys, approval, Arc::clone(reporter))?;
    phone.set_attestation(args.attestation.into());
    if args.l2cap {
        phone.authenticator.l2cap = Some(radio);
    }
    Ok(phone)
}

async fn dialer(args: &Args) -> Result<WebSocketDialer, Error> {
    let mut dialer = WebSocketDialer::new();
    if let Some(file) = &args.relay_ca {
        let pem = tokio::fs::read(file).await.map_err(|error| Error::CaFile(file.clone(), error))?;
        dialer = dialer.with_extra_roots_pem(&pem).map_err(|error| Error::Ca(file.clone(), error))?;
    }
    if let Some(address) = &args.relay_addr {
        let mut found =
            tokio::net::lookup_host(address).await.map_err(|error| Error::Address(Some(error)))?;
        dialer = dialer.with_address(found.next().ok_or(Error::Address(None))?);
    }
    Ok(dialer)
}

async fn passkeys(directory: Option<&Path>) -> Result<Passkeys, Error> {
    let Some(path) = directory else { return Ok(Passkeys::in_memory()) };
    let (directory, state) = StateDirectory::open(path, LOCK_PATIENCE).await?;
    Ok(Passkeys::in_directory(directory, state))
}

fn warn(approval: &Approval, passkeys: &Passkeys) {
    if matches!(approval, Approval::Always) {
        say("TEST MODE: everything is granted without a question, as if by the verified owner");
    }
    match passkeys.directory() {
        Some(directory) => {
            let path = directory.path().display();
            say(&format!(
                "the passkeys in {path} are not encrypted yet: whoever can read it can sign in as you"
            ));
            if directory.is_open_to_others() {
                say(&format!("other users can read {path}; make it yours with: chmod -R go= {path}"));
            }
        }
        None => say("passkeys are gone when this program ends; keep them with --state"),
    }
    if !approval.can_verify() {
        say("there is no passphrase, so that websites which demand user verification are refused");
    }
}
