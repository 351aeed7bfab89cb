//! All cases, some at a time, and a table of how they went.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fmt,
    io::{ErrorKind, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{task::JoinSet, time::sleep};

use crate::{Arguments, catalogue, failure::Failure, namespace};

/// How often a folder that something still writes to is removed once more, and the pause before that.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// What is to be run, and how.
pub(crate) struct Suite {
    /// With their places in the table.
    names: VecDeque<(usize, String)>,
    skipped: usize,
    repeated: bool,
    jobs: usize,
    /// For each case, beside its name.
    arguments: Vec<OsString>,
}

/// How a case went.
struct Row {
    place: usize,
    name: String,
    time: Duration,
    failed: bool,
}

impl Suite {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let all: Vec<_> = catalogue::cases().into_iter().map(|case| case.name).collect();
        let total = all.len();
        let names: Vec<_> = match (arguments.repeat, &arguments.only) {
            (Some(times), _) => vec![catalogue::REPEATED.to_owned(); times.get()],
            (None, Some(text)) => all.into_iter().filter(|name| name.contains(text.as_str())).collect(),
            (None, None) => all,
        };
        let repeated = arguments.repeat.is_some();
        let names = names.into_iter().enumerate().collect::<VecDeque<_>>();
        let skipped = if repeated { 0 } else { total.saturating_sub(names.len()) };
        let mut passed_on = vec!["--phone".into(), arguments.phone.clone().into_os_string()];
        if let Some(logs) = &arguments.logs {
            passed_on.extend(["--logs".into(), logs.clone().into_os_string()]);
        }
        Self { names, skipped, repeated, jobs: arguments.jobs.get(), arguments: passed_on }
    }

    /// Runs everything, and prints the table.
    pub(crate) async fn run(mut self) -> ExitCode {
        let started = Instant::now();
        let mut running = JoinSet::new();
        let mut rows = Vec::new();
        loop {
            while running.len() < self.jobs
                && let Some((place, name)) = self.names.pop_front()
            {
                running.spawn(run(place, name, self.arguments.clone()));
            }
            match running.join_next().await {
                Some(Ok(row)) => rows.push(row),
                Some(Err(error)) => rows.push(Row::broken(error)),
                None => break,
            }
        }
        rows.sort_by_key(|row| row.place);
        self.table(&rows, started.elapsed())
    }

    fn table(&self, rows: &[Row], time: Duration) -> ExitCode {
        let failed = rows.iter().filter(|row| row.failed).count();
        let passed = rows.len().saturating_sub(failed);
        if self.repeated {
            let total = rows.len();
            say(
                std::io::stdout(),
                format_args!("{passed} of {total} runs of \"{}\" passed", catalogue::REPEATED),
            );
        }
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        say(std::io::stdout(), format_args!("\n{:width$}  {:>7}", "case", "seconds"));
        for row in rows {
            let outcome = if row.failed { "FAILED" } else { "passed" };
            let seconds = row.time.as_secs_f32();
            say(std::io::stdout(), format_args!("{:width$}  {seconds:>7.1}  {outcome}", row.name));
        }
        let (count, skipped, seconds) = (rows.len(), self.skipped, time.as_secs_f32());
        say(
            std::io::stdout(),
            format_args!(
                "\n{count} cases in {seconds:.0} s: {passed} passed, {failed} failed, {skipped} skipped"
            ),
        );
        if failed == 0 && skipped == 0 && count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Row {
    fn broken(error: impl fmt::Display) -> Self {
        Self { place: usize::MAX, name: error.to_string(), time: Duration::ZERO, failed: true }
    }
}

async fn run(place: usize, name: String, arguments: Vec<OsString>) -> Row {
    let started = Instant::now();
    let outcome = in_a_folder(&name, &arguments).await;
    if let Err(told) = &outcome {
        say(std::io::stdout(), format_args!("FAILED {name}\n{told}"));
    }
    Row { place, name, time: started.elapsed(), failed: outcome.is_err() }
}

/// Runs a case with a folder of its own, which has to be gone afterwards. Gives what is wrong.
///
/// The folder is made out here, as what the case has started writes into it until the kernel has ended all of it.
async fn in_a_folder(name: &str, arguments: &[OsString]) -> Result<(), String> {
    let folder = TempDir::with_prefix("hybridge-browser-").map_err(|error| error.to_string())?;
    let mut all: Vec<&OsStr> = vec!["--case".as_ref(), name.as_ref(), "--folder".as_ref()];
    all.push(folder.path().as_os_str());
    all.extend(arguments.iter().map(OsString::as_os_str));
    let outcome = match namespace::enter(&all).await {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(failure) => Err(failure.to_string()),
    };
    match (outcome, remove(folder).await) {
        (outcome, Ok(())) => outcome,
        (outcome, Err(failure)) => Err(format!("{}{failure}", outcome.err().unwrap_or_default())),
    }
}

/// Removes a folder. A case that was given up may need a moment to end.
async fn remove(folder: TempDir) -> Result<(), Failure> {
    let path = folder.keep();
    for _ in 0..ATTEMPTS {
        match std::fs::remove_dir_all(&path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(_) => sleep(PAUSE).await,
        }
    }
    std::fs::remove_dir_all(&path).map_err(|error| Failure::file(path, error))
}

/// Writes a line. One that cannot be written is of no use to anybody.
pub(crate) fn say(mut to: impl Write, line: impl fmt::Display) {
    writeln!(to, "{line}").unwrap_or_default();
}
