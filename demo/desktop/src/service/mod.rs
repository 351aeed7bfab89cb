//! The service in the background: serves the virtual security key, opens a window when a program asks for it, and sits in
//! the tray.
//!
//! The key is another program, `hybridge key`: its radio and network are not in this process, and what is shown is in a
//! third one. Whichever of them ends, the service goes on.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tokio::runtime;

mod desk;
mod error;
mod event;
mod lines;
mod lock;
mod process;
mod programs;
mod state;
mod tray;
mod work;

pub use error::Error;
use lock::Lock;

/// What the service is started with.
#[derive(Args, Debug, Clone, Default)]
pub struct ServiceArgs {
    /// The program that is the security key [default: hybridge beside this program, or in PATH]
    #[arg(long, value_name = "FILE")]
    pub hybridge: Option<PathBuf>,
    /// The program with the window, which is called with the word `window` [default: this program]
    #[arg(long, value_name = "FILE")]
    pub window: Option<PathBuf>,
    /// Show no icon in the tray
    #[arg(long)]
    pub no_tray: bool,
    /// Options of hybridge key, such as --adapter hci0 or --socket PATH
    #[arg(last = true, value_name = "OPTIONS OF KEY")]
    pub key: Vec<OsString>,
}

/// Serves until a signal comes or a person quits in the tray. Gives the exit code: 0, or 1 if there can be no service, which
/// a line on standard error explains.
pub fn run(args: ServiceArgs) -> ExitCode {
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.in_one_line());
            ExitCode::FAILURE
        }
    }
}

fn serve(args: ServiceArgs) -> Result<(), Error> {
    let folder = env::var_os("XDG_RUNTIME_DIR");
    let _lock = Lock::take(folder.as_deref().map(Path::new))?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
    runtime.block_on(work::serve(args))
}

/// A line for the journal. Nobody is left to tell if this fails.
fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "hybridge-desktop: {line}");
}
