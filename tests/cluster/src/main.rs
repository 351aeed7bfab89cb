//! Three nodes of the real tunnel service behind a real HAProxy or nginx, with the configuration that
//! `hybridge-relay proxy-config` writes, and TLS. Tells what happens as a timeline and ends with an error status if
//! anything is not as it has to be.
//!
//! Not a test of `cargo test`, as that must not need HAProxy or nginx: `.ci/cluster` runs it.
#![forbid(unsafe_code)]
// Whatever goes wrong here is a failed run.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ceremonies;
mod certificate;
mod cluster;
mod kill;
mod meet;
mod node;
mod peer;
mod proxy;
mod rolling;
mod states;
mod timeline;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use tokio::time::timeout;

use crate::{cluster::Cluster, proxy::Engine, timeline::Timeline};

/// Far more than everything takes.
const LONG: Duration = Duration::from_secs(240);

/// Checks three nodes of the tunnel service behind one proxy.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which proxy
    engine: Engine,
    /// The program `hybridge-relay`
    #[arg(long, value_name = "FILE", default_value = "target/debug/hybridge-relay")]
    relay: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { engine, relay } = Arguments::parse();
    let timeline = Timeline::new();
    let checks = async {
        let mut cluster = Cluster::start(engine, &relay, &timeline).await;
        meet::check(&cluster, &timeline).await;
        ceremonies::check(&cluster, &timeline).await;
        states::check(&cluster, &timeline).await;
        kill::check(&mut cluster, &timeline).await;
        rolling::check(&mut cluster, &timeline).await;
    };
    if timeout(LONG, checks).await.is_err() {
        timeline.tell("gave up: this takes far too long");
        return ExitCode::FAILURE;
    }
    timeline.tell("all as it has to be");
    ExitCode::SUCCESS
}
