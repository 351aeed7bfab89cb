//! Serves the demonstration site until it is interrupted.
#![forbid(unsafe_code)]

use std::{
    error::Error as _,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use hybridge_website::{SetupError, Site, router};
use thiserror::Error;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time::timeout,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use url::Url;

/// How long open requests may take when the program is to end. A second signal cuts that short.
const FAREWELL: Duration = Duration::from_secs(5);

const AFTER_HELP: &str = "\
Accounts are in memory and gone when the program ends. It speaks plain HTTP: browsers allow passkeys on
http://localhost, and anywhere else behind a proxy that does TLS; name the public origin then.

Exit codes:
  0  ended by a signal
  2  wrong usage
  3  the address cannot be listened on, or the system gives no resources

Examples:
  hybridge-website
  hybridge-website --listen 127.0.0.1:9000 --origin https://login.example.com";

/// A website to try passkeys on a phone with: register and sign in
#[derive(Parser)]
#[command(name = "hybridge-website", version, after_help = AFTER_HELP)]
struct Args {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// What browsers show in their address bar [default: http://localhost and the port]
    #[arg(long, value_name = "URL")]
    origin: Option<Url>,
}

#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("{0} cannot be listened on; choose another with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("the system does not let the site run; free some resources")]
    System(#[from] io::Error),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(io::stderr).init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reason = error.source().map(|source| format!(" ({source})")).unwrap_or_default();
            let _ = writeln!(io::stderr().lock(), "hybridge-website: {error}{reason}");
            ExitCode::from(if matches!(error, Error::Setup(_)) { 2 } else { 3 })
        }
    }
}

#[tokio::main]
async fn run(args: Args) -> Result<(), Error> {
    let unusable = |error| Error::Listen(args.listen, error);
    let listener = TcpListener::bind(args.listen).await.map_err(unusable)?;
    let port = listener.local_addr()?.port();
    let origin = match args.origin {
        Some(origin) => origin,
        None => Url::parse(&format!("http://localhost:{port}")).map_err(|_| SetupError::Origin)?,
    };
    let site = Arc::new(Site::new(&origin)?);
    // Whoever does not read this does not need it.
    let _ = writeln!(io::stdout().lock(), "Listening on {}, open {}", listener.local_addr()?, site.origin());
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (tell, told) = oneshot::channel();
    let ended = async move {
        // Fails only if the site has ended by itself.
        let _ = told.await;
    };
    let serving = axum::serve(listener, router(site)).with_graceful_shutdown(ended).into_future();
    let mut signalled = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let overdue = async {
        signalled().await;
        let _ = tell.send(());
        let _ = timeout(FAREWELL, signalled()).await;
    };
    tokio::select! {
        served = serving => Ok(served?),
        () = overdue => Ok(()),
    }
}
