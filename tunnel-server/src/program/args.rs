//! The command line.

use std::{env, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    check::CheckArgs,
    proxy_config::ProxyConfigArgs,
    settings::{flags::Flags, sources::Sources, units::Time},
};

const SETTINGS_HELP: &str = "\
Settings come from a TOML file, from environment variables and from flags; the later in this list, the stronger.
Every setting has one name: max_head in the section [limits] of the file is HYBRIDGE_RELAY_LIMITS_MAX_HEAD in the
environment and --limits-max-head as a flag. The file is that of --config, or of HYBRIDGE_RELAY_CONFIG, or
/etc/hybridge-relay/config.toml if it is there. --help lists all settings, --print-config prints those in force.

Signals: TERM and INT let live tunnels finish and stop, a second one stops now. HUP reads the settings again.

Exit codes:
  0  done
  1  the service cannot run, or the answer is no
  2  wrong usage or wrong settings";

/// A tunnel service for the FIDO hybrid transport: connects phones and computers for passkey sign-in
#[derive(Debug, Parser)]
#[command(name = "hybridge-relay", version, after_help = SETTINGS_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Health(HealthArgs),
    Domain(DomainArgs),
    /// Tokens for opening tunnels, where the settings ask for them
    #[command(subcommand)]
    Token(TokenVerb),
    ProxyConfig(ProxyConfigArgs),
    Check(Box<CheckArgs>),
}

/// What the service itself is started with.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which limits hold for peers: safe ones, or none at all, for benchmarks on loopback addresses
    #[arg(long, value_enum, value_name = "safe|none")]
    limits: Option<Limits>,
    /// Print the settings in force as a configuration file and exit
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_config: bool,
    /// Check the settings and all files that they name, and exit
    #[arg(long)]
    pub(crate) check_config: bool,
    #[command(flatten)]
    settings: Flags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limits {
    Safe,
    None,
}

impl ServeArgs {
    /// Where the settings come from.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            file: config_file(self.config.as_ref()),
            lift_limits: self.limits == Some(Limits::None),
            flags: self.settings.clone(),
        }
    }
}

/// Ask a running service whether it is ready
///
/// For container images without a shell, and for scripts. Asks the second listener of the service on this machine,
/// under the address that the settings give it.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Ask here instead, for example http://127.0.0.1:9091/healthz
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The configuration file of the service
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl HealthArgs {
    pub(crate) fn sources(&self) -> Sources {
        Sources { file: config_file(self.config.as_ref()), ..Sources::default() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    Mint(MintArgs),
}

const MINT_EXAMPLES: &str = "\
Prints a token. Phones send it as Authorization: Bearer TOKEN when they open a tunnel.

Example:
  hybridge-relay token mint --key-file /etc/hybridge-relay/keys --lifetime 1h";

/// Make a token that expires
#[derive(Debug, Args)]
#[command(after_help = MINT_EXAMPLES)]
pub(crate) struct MintArgs {
    /// The file of keys that the service has as access.keys
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    /// How long the token is valid, for example 1h; the service takes up to access.max_token_lifetime
    #[arg(long, value_name = "TIME")]
    pub(crate) lifetime: Time,
    /// The ID of the key to use, instead of the first one
    #[arg(long, value_name = "ID")]
    pub(crate) key: Option<String>,
}

const DOMAIN_EXAMPLES: &str = "\
Prints the ID, the host name and where the name comes from, separated by tabs.

Examples:
  hybridge-relay domain --id 266
  hybridge-relay domain --search wuf";

/// Find the host name that belongs to an ID, or an ID whose host name you like
#[derive(Debug, Args)]
#[command(after_help = DOMAIN_EXAMPLES)]
#[group(required = true, multiple = false)]
pub(crate) struct DomainArgs {
    /// A number from 0 to 65535; your own service takes one from 256 on
    #[arg(long, value_name = "N")]
    pub(crate) id: Option<u16>,
    /// List every ID whose computed host name starts so after `cable.`
    #[arg(long, value_name = "PREFIX")]
    pub(crate) search: Option<String>,
}

/// The file that the flag names, or else the environment.
fn config_file(flag: Option<&PathBuf>) -> Option<PathBuf> {
    let variable = || env::var_os("HYBRIDGE_RELAY_CONFIG").filter(|path| !path.is_empty());
    flag.cloned().or_else(|| variable().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
