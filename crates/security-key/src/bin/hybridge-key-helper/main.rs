//! Gives one virtual FIDO security key to one program of whoever sits at this computer, and holds `/dev/uhid` for it.
//!
//! Started by the service manager with a connection as standard input (`hybridge-key-helper@.service`), or with `--listen`.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write},
    os::fd::AsFd,
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use hybridge_security_key::{
    helper::{Listener, Packets, relay},
    uhid::Uhid,
};
use tokio::{runtime, select};

mod failure;
mod seat;

use failure::Failure;
use seat::Seats;

/// Everybody may ask. Who gets a key is for the login manager to say.
const FOR_ALL: u32 = 0o666;

/// Gives a virtual FIDO security key to a program of whoever sits at this computer
///
/// Holds /dev/uhid, makes one security key for each connection, and relays its reports. A connection is refused unless the
/// login manager says that its user has an active session at this computer's screen, and ends with that session.
#[derive(Parser)]
#[command(name = "hybridge-key-helper", version)]
struct Args {
    /// Listen at this path; otherwise standard input is a connection, from a socket unit with Accept=yes
    #[arg(long, value_name = "PATH")]
    listen: Option<PathBuf>,
    /// The kernel's device
    #[arg(long, value_name = "PATH", default_value = "/dev/uhid")]
    uhid: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::System)
        .and_then(|runtime| runtime.block_on(run(&args)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Failure> {
    let seats = Seats::connect().await?;
    let Some(path) = &args.listen else {
        let connection = io::stdin().as_fd().try_clone_to_owned().map_err(Failure::System)?;
        return serve(Packets::new(connection).map_err(Failure::System)?, args, &seats).await;
    };
    let listener = Listener::bind(path, FOR_ALL).map_err(Failure::Listen)?;
    loop {
        let program = listener.accept().await.map_err(Failure::Listen)?;
        // One after the other: there is one person at the screen.
        if let Err(failure) = serve(program, args, &seats).await {
            tell(&failure);
        }
    }
}

/// Serves one connection as long as its user is the one at the screen.
async fn serve(program: Packets, args: &Args, seats: &Seats) -> Result<(), Failure> {
    let user = program.peer().map_err(Failure::Peer)?.user;
    let session = seats.active_session(user).await?;
    let mut uhid = Uhid::create(&args.uhid).map_err(Failure::Uhid)?;
    let ended = select! {
        ended = relay(&program, &mut uhid) => ended,
        () = session.ended() => return Ok(()),
    };
    match ended.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(()),
        io::ErrorKind::InvalidData => Err(Failure::NotAReport),
        _ => Err(Failure::Relay(ended)),
    }
}

fn tell(failure: &Failure) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr().lock(), "hybridge-key-helper: {}", failure.in_one_line());
}
