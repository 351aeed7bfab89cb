//! The `hybridge-desktop` program.
#![forbid(unsafe_code)]

use std::{
    error::Error as _,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use egui::Theme;
use hybridge_desktop::{
    service::{self, ServiceArgs},
    window::runner::{self, WindowError},
};

const AFTER_HELP: &str = "\
Exit codes:
  0  ended
  1  there can be no service, or there is one already
  2  wrong usage
  3  there is no display";

const WINDOW_HELP: &str = "\
Events come on standard input, one JSON object a line: those of `hybridge get --events json` and of
`hybridge key --events json`. Answers are lines on standard output:
  y             yes to touch-wanted
  (empty)       no: cancelled, or the window was closed
  bluetooth-on  switch Bluetooth on
  retry         try the same again; only where failed has \"retry\": true
  phone ID      call a remembered phone
Besides what those programs say, failed and not-reached may have \"radio\": bluetooth-off, no-adapter, bluetooth-permission or
bluetooth-service; and \"tunnel\": not-reached, refused or certificate; and \"status\", with which the phone refused.
remembered-phones has \"phones\", each with id and name; bluetooth has \"on\" and says how it went. Events and members that
are not known are passed over.";

/// Sign in with your phone, from this desktop
///
/// Without a command: an icon in the tray, and in the background a security key that every program finds, until it is ended.
/// When a program asks for it, a window opens with the QR code for the phone.
#[derive(Parser)]
#[command(name = "hybridge-desktop", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    service: ServiceArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The window alone: shows what another program tells it
    #[command(after_long_help = format!("{WINDOW_HELP}\n\n{AFTER_HELP}"))]
    Window(WindowArguments),
}

#[derive(Args)]
struct WindowArguments {
    /// Colours [default: those of the desktop, if it tells, else light]
    #[arg(long, value_enum, value_name = "NAME")]
    theme: Option<ThemeName>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ThemeName {
    Light,
    Dark,
}

impl From<ThemeName> for Theme {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Light => Self::Light,
            ThemeName::Dark => Self::Dark,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { service, command } = Arguments::parse();
    let ended = match command {
        None => return service::run(service),
        Some(Command::Window(arguments)) => runner::run(arguments.theme.map(Theme::from)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(3)
        }
    }
}

fn tell(error: &WindowError) {
    let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
    let _ = writeln!(io::stderr(), "hybridge-desktop: {error}{cause}");
}
