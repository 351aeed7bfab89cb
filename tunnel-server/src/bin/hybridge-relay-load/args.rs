//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, value_parser};

use crate::bound::Bound;

const ABOUT: &str = "\
Loads a tunnel service for the FIDO hybrid transport and measures what that costs the service: CPU time and memory of
its process, latency, whether everything arrives. The same load goes through a raw TCP pair in turn with the service,
and each figure is printed next to that floor's, with the ratio.

It sends to loopback addresses only, and every run has an end.";

const EXAMPLES: &str = "\
Examples:
  hybridge-relay-load ping-pong --serve target/release/hybridge-relay
  hybridge-relay-load pairs --serve target/release/hybridge-relay --tunnels 9000 --busy 100
  hybridge-relay-load lifecycle --url ws://127.0.0.1:8080 --pid 4711 --json
  hybridge-relay-load abuse --serve target/release/hybridge-relay";

const PAIRS: &str = "\
Opens and joins the tunnels in four equal steps and reads the process's resident memory after each. Every tunnel takes
two file descriptors here and two in the service. With --busy, that many further tunnels send messages to and fro,
first alone and then next to the idle ones.

Example:
  hybridge-relay-load pairs --serve target/release/hybridge-relay --tunnels 9000 --busy 100";

const PING_PONG: &str = "\
Each tunnel has one message on its way at any time: one end sends, the other gets it whole and sends one back. Then,
with nothing else on the machine's way, three messages back to back, and bursts that have to arrive whole.

Example:
  hybridge-relay-load ping-pong --serve target/release/hybridge-relay --size 256,4096 --tunnels 64 --count 400000";

const LIFECYCLE: &str = "\
A set-up is: open a tunnel, join it. A lifecycle is: open a tunnel, join it, three round trips, close it from one end
and wait until both connections are over. With more than 10,000 lifecycles, the memory at the end is held against that
after 10,000, which shows what is leaked.

Examples:
  hybridge-relay-load lifecycle --serve target/release/hybridge-relay --count 20000
  hybridge-relay-load lifecycle --serve target/release/hybridge-relay --rounds 1 --no-floor \\
    --count 1000000 --at-most 'memory at the end / after 10000=1.1'";

const SLOW: &str = "\
One end of some tunnels sends as fast as it can, the other one does not read. What the service then holds in memory,
what it still takes in, and how other tunnels fare is measured; then everything is read, and all of it has to be there.

Example:
  hybridge-relay-load slow --serve target/release/hybridge-relay --tunnels 20";

const ABUSE: &str = "\
Connections that say nothing, that send their request byte by byte, that send garbage or too much, and peers that
break the rules of a websocket. The answers are counted, and while all this goes on a good tunnel is set up again and
again. With --serve, the service runs with its default limits here, and with the floor left out.

Example:
  hybridge-relay-load abuse --serve target/release/hybridge-relay --count 1000";

#[derive(Debug, Parser)]
#[command(name = "hybridge-relay-load", version, about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) mode: Mode,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    Pairs(PairsArgs),
    PingPong(PingPongArgs),
    Lifecycle(LifecycleArgs),
    Slow(SlowArgs),
    Abuse(AbuseArgs),
    Floor(FloorArgs),
}

impl Mode {
    pub(crate) const fn common(&self) -> Option<&Common> {
        match self {
            Self::Pairs(args) => Some(&args.common),
            Self::PingPong(args) => Some(&args.common),
            Self::Lifecycle(args) => Some(&args.common),
            Self::Slow(args) => Some(&args.common),
            Self::Abuse(args) => Some(&args.common),
            Self::Floor(_) => None,
        }
    }
}

/// What is loaded, how often, and how the result is given.
#[derive(Debug, ClapArgs)]
pub(crate) struct Common {
    /// Start this hybridge-relay for each round, with --listen 127.0.0.1:0 --admin-listen off --limits none
    #[arg(long, value_name = "PATH", required_unless_present = "url", conflicts_with = "url")]
    pub(crate) serve: Option<PathBuf>,
    /// A further argument for the service that is started; can be given several times
    #[arg(long, value_name = "ARG", requires = "serve", allow_hyphen_values = true)]
    pub(crate) serve_arg: Vec<String>,
    /// Start it with TLS, and the floor too, with a certificate that is made for the run
    #[arg(long, requires = "serve")]
    pub(crate) tls: bool,
    /// A running tunnel service, such as ws://127.0.0.1:8080
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Its process, for CPU time and memory
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// The certificates to trust at a wss:// URL, as PEM
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca: Option<PathBuf>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = value_parser!(u32).range(1..=86_400))]
    pub(crate) time_limit: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Fail if the service's figure of this name is above a value, or its ratio to the floor where the value ends with x:
    /// 'CPU per lifecycle=1.2x'; can be given several times
    #[arg(long, value_name = "FIGURE=VALUE")]
    pub(crate) at_most: Vec<Bound>,
    /// No progress on standard error
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// How service and floor take turns.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Turns {
    /// How often service and floor take turns; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=99))]
    pub(crate) rounds: u32,
    /// Leave out the raw TCP pair
    #[arg(long)]
    pub(crate) no_floor: bool,
}

/// Hold joined tunnels: memory and CPU of each, latency of busy ones next to idle ones
#[derive(Debug, ClapArgs)]
#[command(after_help = PAIRS)]
pub(crate) struct PairsArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) turns: Turns,
    /// Tunnels to hold
    #[arg(long, visible_alias = "n", value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(4..=1_000_000))]
    pub(crate) tunnels: u32,
    /// Further tunnels that send messages to and fro
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = value_parser!(u32).range(0..=10_000))]
    pub(crate) busy: u32,
    /// Round trips of each busy tunnel, alone and again next to the idle ones
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) trips: u32,
}

/// Messages to and fro: CPU time of each, latency, three back to back, bursts
#[derive(Debug, ClapArgs)]
#[command(after_help = PING_PONG)]
pub(crate) struct PingPongArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) turns: Turns,
    /// Bytes in a message; several sizes are separated by commas
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_values_t = [256, 4096], value_parser = value_parser!(u32).range(4..=1_048_576))]
    pub(crate) size: Vec<u32>,
    /// Tunnels in use at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) tunnels: u32,
    /// Messages of each size in a round, over all tunnels and both directions
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(2..=100_000_000))]
    pub(crate) count: u32,
    /// How often three messages back to back are timed in a round
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) triples: u32,
}

/// Tunnels from beginning to end: CPU time of each set-up and of each lifecycle
#[derive(Debug, ClapArgs)]
#[command(after_help = LIFECYCLE)]
pub(crate) struct LifecycleArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) turns: Turns,
    /// Lifecycles in a round
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=10_000_000))]
    pub(crate) count: u32,
    /// Set-ups in a round; so many tunnels are held at the end of it
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) set_ups: u32,
    /// Tunnels that are set up or live at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) at_once: u32,
    /// Bytes in a message
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = value_parser!(u32).range(4..=1_048_576))]
    pub(crate) size: u32,
}

/// Peers that do not read: memory of the service, and how other tunnels fare
#[derive(Debug, ClapArgs)]
#[command(after_help = SLOW)]
pub(crate) struct SlowArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) turns: Turns,
    /// Tunnels with an end that does not read
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) tunnels: u32,
    /// The most mebibytes that are sent into each of them
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = value_parser!(u32).range(1..=1024))]
    pub(crate) mib: u32,
    /// Tunnels that send messages to and fro meanwhile
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) neighbours: u32,
}

/// Strangers that misbehave: what they are answered, and whether the service stays well
#[derive(Debug, ClapArgs)]
#[command(after_help = ABUSE)]
pub(crate) struct AbuseArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Connections of each kind
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,
    /// How many seconds an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = value_parser!(u32).range(1..=3600))]
    pub(crate) wait: u32,
}

/// The raw TCP pair: a minimal server that joins two connections and copies between them
///
/// A connection begins with one line, its pair's name. The second connection of a name is joined to the first.
#[derive(Debug, ClapArgs)]
pub(crate) struct FloorArgs {
    /// Loopback address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Certificate chain to serve TLS with, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
}
