//! `hybridge-relay`: reads the command line and runs the tunnel service.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use clap::Parser;
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
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();

    let listener = TcpListener::bind(arguments.listen).await?;
    let serving = Service::new(Config::default())?.serve(listener)?;
    writeln!(io::stdout().lock(), "listening on {}", serving.local_addr())?;
    stop_signal().await?;
    serving.stop().await;
    Ok(())
}

/// Waits for the interrupt or, on Unix, the termination signal.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
