//! Serves the demonstration site until it is interrupted.
#![forbid(unsafe_code)]

mod args;

use std::{
    error::Error as _,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use args::{Action, Args, GroupAction, Where};
use clap::Parser;
use hybridge_website::{Policies, PolicyError, SetupError, Site, SiteError, Store, StoreError, router};
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

#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("there is no home folder to keep accounts in; name a file with --database, or give --in-memory")]
    NoHome,
    #[error("a group is kept in a database; leave out --in-memory")]
    Forgetful,
    #[error("there is no group `{0}`; the policy has: {1}")]
    Group(String, String),
    #[error(
        "{0:?} is in group `{1}`, which the policy does not have; add the group, or move the user with \
         `hybridge-website group set`"
    )]
    LostGroup(String, String),
    #[error(transparent)]
    Name(SiteError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} cannot be listened on; choose another with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("the system does not let the site run; free some resources")]
    System(#[from] io::Error),
}

impl From<SiteError> for Error {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Storage(error) => Self::Store(error),
            other => Self::Name(other),
        }
    }
}

impl Error {
    const fn code(&self) -> u8 {
        match self {
            Self::Listen(..) | Self::System(_) | Self::Setup(SetupError::Passwords) => 3,
            Self::Store(_) | Self::Setup(SetupError::Store(_)) => 4,
            _ => 2,
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(io::stderr).init();
    let done = match args.action {
        None => serve(args),
        Some(Action::Group(ref action)) => group(&args, action),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reason = error.source().map(|source| format!(" ({source})")).unwrap_or_default();
            let _ = writeln!(io::stderr().lock(), "hybridge-website: {error}{reason}");
            ExitCode::from(error.code())
        }
    }
}

fn policies(args: &Args) -> Result<Policies, Error> {
    args.policy.as_deref().map_or_else(|| Ok(Policies::built_in()), |path| Ok(Policies::read(path)?))
}

/// Opens the accounts, and says in words where they are.
fn open(args: &Args) -> Result<(Store, String), Error> {
    match args.place().ok_or(Error::NoHome)? {
        Where::Memory => Ok((Store::in_memory()?, "in memory, until it ends".to_owned())),
        Where::File(path) => Ok((Store::open(&path)?, format!("in {}", path.display()))),
    }
}

/// `group set` and `group list`.
fn group(args: &Args, action: &GroupAction) -> Result<(), Error> {
    if args.in_memory {
        return Err(Error::Forgetful);
    }
    let policies = policies(args)?;
    match action {
        GroupAction::Set { name, group } => {
            if !policies.groups().any(|known| known == group) {
                let known = policies.groups().collect::<Vec<_>>().join(", ");
                return Err(Error::Group(group.clone(), known));
            }
            open(args)?.0.set_group(name, group)?;
        }
        GroupAction::List => {
            let groups = open(args)?.0.groups()?;
            let mut out = io::stdout().lock();
            // Whoever does not read this does not need it.
            groups.iter().for_each(|(name, group)| drop(writeln!(out, "{group}\t{name}")));
        }
    }
    Ok(())
}

/// Makes the site. Nobody may be in a group without rules.
fn site(args: &Args, port: u16) -> Result<(Site, String), Error> {
    let policies = policies(args)?;
    let origin = match &args.origin {
        Some(origin) => origin.clone(),
        None => Url::parse(&format!("http://localhost:{port}")).map_err(|_| SetupError::Origin)?,
    };
    let (store, place) = open(args)?;
    for (name, group) in store.groups()? {
        if !policies.groups().any(|known| known == group) {
            return Err(Error::LostGroup(name, group));
        }
    }
    Ok((Site::with(&origin, store, policies)?, place))
}

#[tokio::main]
async fn serve(args: Args) -> Result<(), Error> {
    let unusable = |error| Error::Listen(args.listen, error);
    let listener = TcpListener::bind(args.listen).await.map_err(unusable)?;
    let address = listener.local_addr()?;
    let (site, place) = site(&args, address.port())?;
    {
        let mut out = io::stdout().lock();
        // Whoever does not read this does not need it.
        let _ = writeln!(out, "Listening on {address}, open {}\nAccounts are kept {place}", site.origin());
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (tell, told) = oneshot::channel();
    let ended = async move {
        // Fails only if the site has ended by itself.
        let _ = told.await;
    };
    let serving = axum::serve(listener, router(Arc::new(site))).with_graceful_shutdown(ended).into_future();
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
