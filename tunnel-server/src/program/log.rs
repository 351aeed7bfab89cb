//! The log: text or JSON on standard error.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::EnvFilter;

use super::{
    error::Error,
    settings::{LogFormat, LogSettings},
};

/// Logs from now on. The environment variable RUST_LOG comes before the settings' level.
pub(crate) fn start(settings: &LogSettings) -> Result<(), Error> {
    let variable = env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = variable.as_deref().unwrap_or(&settings.level);
    let filter = EnvFilter::try_new(filter).map_err(Error::LogFilter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match settings.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
