//! `hybridge-relay proxy-config`: what HAProxy or nginx needs to be one service out of several machines.
//!
//! The first two hex digits of a routing ID are the number of the node that holds the tunnel, so a proxy routes
//! `/cable/connect` by the path alone. Everything else goes to any node that takes new tunnels.

use std::{
    fs,
    io::Write,
    net::{Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Subcommand};

mod address;
mod haproxy;
mod nginx;
pub(crate) mod nodes;
mod quoted;

use nodes::Nodes;
use quoted::FileName;

use super::error::Error;

const EXAMPLE: &str = r#"\
The nodes file lists the machines. What each node's own settings have to say stands at the top of the output.

  [[node]]
  number = 1                  # 0 to 255
  address = "10.0.0.1:8080"   # where it serves tunnels
  health = "10.0.0.1:9091"    # where its second listener is
  state = "serving"           # or "draining": no new tunnels; or "disabled": nothing at all

Examples:
  hybridge-relay proxy-config haproxy --nodes nodes.toml --certificate /etc/haproxy/relay.pem
  hybridge-relay proxy-config nginx --nodes nodes.toml --certificate /etc/ssl/relay.pem --key /etc/ssl/relay.key"#;

/// Write the configuration of a proxy that makes one service of several machines
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ProxyConfigArgs {
    #[command(subcommand)]
    proxy: Proxy,
}

#[derive(Debug, Subcommand)]
enum Proxy {
    /// For HAProxy 2.4 or newer, which passes source addresses on with the PROXY protocol
    Haproxy(Haproxy),
    /// For nginx 1.18 or newer, which passes source addresses on in X-Forwarded-For
    Nginx(Nginx),
}

#[derive(Debug, Args)]
struct Haproxy {
    #[command(flatten)]
    common: Common,
    /// File with the certificate chain and its private key, one behind the other, as HAProxy wants it
    #[arg(long, value_name = "FILE")]
    certificate: FileName,
}

#[derive(Debug, Args)]
struct Nginx {
    #[command(flatten)]
    common: Common,
    /// File with the certificate chain
    #[arg(long, value_name = "FILE")]
    certificate: FileName,
    /// File with the certificate's private key
    #[arg(long, value_name = "FILE")]
    key: FileName,
}

#[derive(Debug, Args)]
struct Common {
    /// TOML file that lists the nodes
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// Address and port that the proxy listens on. Port 443 of every address by default
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 443)))]
    listen: SocketAddr,
    /// How long a tunnel may be silent before the proxy ends it. Longer than the service lets one live, so that the
    /// service is the one that ends it
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = whole_seconds)]
    tunnel_timeout: Duration,
}

/// Reads the nodes file and writes the configuration to `out`.
pub(crate) fn run(args: &ProxyConfigArgs, out: &mut impl Write) -> Result<(), Error> {
    let configuration = match &args.proxy {
        Proxy::Haproxy(haproxy) => haproxy.configuration(&haproxy.common.read()?),
        Proxy::Nginx(nginx) => nginx.configuration(&nginx.common.read()?),
    };
    out.write_all(configuration.as_bytes()).and_then(|()| out.flush()).map_err(Error::Write)
}

impl Common {
    fn read(&self) -> Result<Nodes, Error> {
        let path = || self.nodes.clone();
        let text = fs::read_to_string(&self.nodes).map_err(|error| Error::NodesFile(path(), error))?;
        Nodes::parse(&text).map_err(|error| Error::Nodes(path(), error))
    }
}

/// A time as both proxies can express it.
fn whole_seconds(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let seconds = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
    if seconds.contains(&time) && time.subsec_nanos() == 0 {
        Ok(time)
    } else {
        Err("give whole seconds, at least 1s and at most 24h".to_owned())
    }
}

#[cfg(test)]
mod tests;
