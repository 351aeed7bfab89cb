//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};
use hybridge_website::usual_path;
use url::Url;

const AFTER_HELP: &str = "\
It speaks plain HTTP: browsers allow passkeys on http://localhost, and anywhere else behind a proxy that does TLS;
name the public origin then. Accounts, password hashes and passkeys are in the database; who is signed in is not, and
has to sign in again after a restart.

Each account is in a group, `everyone` or `staff` unless --policy says otherwise. People choose one when they register,
and you may move them; docs/website.md describes the file.

Exit codes:
  0  ended by a signal, or done
  2  wrong usage, origin, policy or group
  3  the address cannot be listened on, or the system gives no resources
  4  the database cannot be used: damaged, of a newer version, of another program, or not permitted

Examples:
  hybridge-website
  hybridge-website --in-memory --listen 127.0.0.1:0
  hybridge-website --listen 127.0.0.1:9000 --origin https://login.example.com --policy policy.toml
  hybridge-website group set ada staff";

/// A website to try passkeys on a phone with: register and sign in
#[derive(Parser)]
#[command(name = "hybridge-website", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// What browsers show in their address bar [default: http://localhost and the port]
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Option<Url>,
    /// Keep accounts in this file [default: hybridge-website/accounts.sqlite in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) database: Option<PathBuf>,
    /// Keep accounts in memory, and forget them at the end
    #[arg(long, conflicts_with = "database", global = true)]
    pub(crate) in_memory: bool,
    /// Take groups and their rules from this TOML file [default: `everyone` and `staff`]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) policy: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
}

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Say who is in which group
    #[command(subcommand)]
    Group(GroupAction),
}

#[derive(Subcommand)]
pub(crate) enum GroupAction {
    /// Put a user into a group, now or before there is an account of this name
    Set {
        /// The user name
        name: String,
        /// One of the groups of the policy
        group: String,
    },
    /// Print users and their groups
    List,
}

/// Where accounts are kept.
pub(crate) enum Where {
    Memory,
    File(PathBuf),
}

impl Args {
    /// `None` if nothing is said and there is no home.
    pub(crate) fn place(&self) -> Option<Where> {
        if self.in_memory {
            return Some(Where::Memory);
        }
        self.database.clone().or_else(usual_path).map(Where::File)
    }
}
