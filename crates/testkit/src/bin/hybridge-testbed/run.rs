//! `hybridge-testbed` itself: everything together.

use std::{
    env, error,
    ffi::OsString,
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::ValueEnum;
use hybridge_authenticator::DomainId;
use hybridge_testkit::{
    phone::Answer,
    testbed::{Settings, Testbed, TestbedOptions},
};

use thiserror::Error;

use crate::{command, until::Stop};

#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The tunnel service's domain.
    #[arg(long, default_value_t = 266, value_name = "N")]
    domain_id: u16,
    /// How many Bluetooth adapters there are: hci0, hci1 and so on.
    #[arg(long, default_value_t = 2, value_name = "N")]
    adapters: u8,
    /// The port of the control interface on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    control_port: u16,
    /// The port of the tunnel service on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    tunnel_port: u16,
    /// Watches this X display, `:99` for instance, and scans the QR codes that appear there. Without a name, the
    /// display of the environment variable DISPLAY.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    display: Option<String>,
    /// What the phone's owner says at first.
    #[arg(long, default_value = "approve", value_name = "ANSWER")]
    answer: FirstAnswer,
    /// How long the phone's owner takes at first, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
    /// How to print the settings: lines for a shell, or one line of JSON.
    #[arg(long, default_value = "shell")]
    format: Format,
    /// Writes the settings to this file instead of printing them. Once the file is there, everything is ready. One that
    /// is there before is removed at once, and at the end there is none.
    #[arg(long, value_name = "FILE")]
    settings_file: Option<PathBuf>,
    /// A command to run with the settings in its environment.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Shell,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum FirstAnswer {
    Approve,
    Refuse,
    Wait,
}

impl From<FirstAnswer> for Answer {
    fn from(answer: FirstAnswer) -> Self {
        match answer {
            FirstAnswer::Approve => Self::Approve,
            FirstAnswer::Refuse => Self::Refuse,
            FirstAnswer::Wait => Self::Wait,
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, Box<dyn error::Error>> {
    let mut stop = Stop::listen()?;
    if let Some(file) = &args.settings_file {
        remove(file)?;
    }
    let mut options = TestbedOptions::default();
    options.domain = DomainId::new(args.domain_id);
    options.adapters = args.adapters;
    options.control_port = args.control_port;
    options.tunnel_port = args.tunnel_port;
    options.display = args.display.clone().map(display).transpose()?;
    let testbed = tokio::select! {
        testbed = Testbed::start(options) => testbed?,
        () = stop.signalled() => return Ok(ExitCode::SUCCESS),
    };
    testbed.phone().set_answer(args.answer.into());
    testbed.phone().set_delay(Duration::from_millis(args.delay_ms));
    let settings = testbed.settings();
    let text = match args.format {
        Format::Shell => settings.to_shell(),
        Format::Json => settings.to_json(),
    };
    let outcome = serve(&args, &settings, &text, &mut stop).await;
    testbed.stop().await;
    match &args.settings_file {
        // Not that of a testbed that has come after this one.
        Some(file) if fs::read(file).is_ok_and(|found| found == text.as_bytes()) => {
            outcome.and_then(|code| Ok(remove(file).map(|()| code)?))
        }
        _ => outcome,
    }
}

/// There is nothing to watch.
#[derive(Debug, Error)]
#[error("there is no display to watch: name one, as in --display :99, or set DISPLAY")]
struct NoDisplay;

/// The display of this name, or the one that the environment names.
fn display(name: String) -> Result<String, NoDisplay> {
    let given = Some(name).filter(|name| !name.is_empty());
    given.or_else(|| env::var("DISPLAY").ok().filter(|name| !name.is_empty())).ok_or(NoDisplay)
}

async fn serve(
    args: &Args,
    settings: &Settings,
    text: &str,
    stop: &mut Stop,
) -> Result<ExitCode, Box<dyn error::Error>> {
    if let Some(file) = &args.settings_file {
        write_at_once(file, text)?;
    } else if args.command.is_empty() {
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()?;
    }
    if let Some((program, arguments)) = args.command.split_first() {
        return command::run(program, arguments, settings, stop).await;
    }
    stop.told().await?;
    Ok(ExitCode::SUCCESS)
}

/// There is something that nobody wants to lose.
#[derive(Debug, Error)]
#[error("the settings cannot take the place of {}: name a file that is not there yet", .file.display())]
struct InTheWay {
    file: PathBuf,
    #[source]
    source: io::Error,
}

/// Removes a file of settings, if there is one. A device or a folder stays.
fn remove(file: &Path) -> Result<(), InTheWay> {
    let removed = match fs::symlink_metadata(file) {
        Ok(found) if !found.is_file() => Err(ErrorKind::AlreadyExists.into()),
        Ok(_) => fs::remove_file(file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|source| InTheWay { file: file.to_owned(), source })
}

/// Writes a file that is there either in full or not at all.
fn write_at_once(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.persist(file)?;
    Ok(())
}
