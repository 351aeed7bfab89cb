//! `hybridge-relay`: reads the command line and runs the tunnel service.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind};
use hybridge_relay::{Config, Service};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A tunnel service for the FIDO hybrid transport: connects phones and computers for passkey sign-in.
///
/// It speaks plain HTTP. Put a server that terminates TLS in front of it. Logging follows the environment
/// variable RUST_LOG and goes to standard error.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on, for example 127.0.0.1:8080; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Which limits hold for peers.
    #[arg(long, value_enum, default_value_t = Limits::Safe)]
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limits {
    /// Safe against strangers.
    Safe,
    /// None at all, for benchmarks: only where ADDR is a loopback address.
    None,
}

impl Arguments {
    /// The service's limits; a usage error where lifting them would let strangers in.
    fn config(&self) -> Result<Config, clap::Error> {
        match self.limits {
            Limits::Safe => Ok(Config::default()),
            Limits::None if self.listen.ip().is_loopback() => Ok(Config::without_limits()),
            Limits::None => Err(Self::command().error(
                ErrorKind::ValueValidation,
                "--limits none is for benchmarks and needs a loopback address, such as --listen 127.0.0.1:8080",
            )),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = arguments.config().unwrap_or_else(|error| error.exit());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    if arguments.limits == Limits::None {
        tracing::warn!("all limits are lifted, which is for benchmarks only");
    }
    match run(arguments.listen, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err((what, error)) => {
            let _ = writeln!(io::stderr().lock(), "hybridge-relay: {what}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal comes. An error says what failed and what to try.
async fn run(listen: SocketAddr, config: Config) -> Result<(), (&'static str, io::Error)> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| ("cannot listen there, try another address or port", error))?;
    let serving = Service::new(config)
        .and_then(|service| service.serve(listener))
        .map_err(|error| ("cannot start, the system lacks something", error))?;
    // Before the address is told: who reads it may send a signal at once.
    let stopped = stop_signal().map_err(|error| ("cannot wait for signals", error))?;
    writeln!(io::stdout().lock(), "listening on {}", serving.local_addr())
        .map_err(|error| ("cannot write to standard output", error))?;
    stopped.await;
    serving.stop().await;
    Ok(())
}

/// Listens from now on for the interrupt and termination signals; the future ends with the first.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens from now on for the interrupt; the future ends with it.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
