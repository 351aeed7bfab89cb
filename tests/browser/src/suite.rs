//! All cases, some at a time, and a table of how they went.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fmt,
    io::Write,
    process::{ExitCode, Output},
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{Arguments, catalogue, failure::Failure, namespace};

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
    let mut all: Vec<&OsStr> = vec!["--case".as_ref(), name.as_ref()];
    all.extend(arguments.iter().map(OsString::as_os_str));
    let output = namespace::enter(&all).await;
    let failed = !matches!(&output, Ok(output) if output.status.success());
    if failed {
        tell(&name, output);
    }
    Row { place, name, time: started.elapsed(), failed }
}

/// Tells about a failed case at once.
fn tell(name: &str, output: Result<Output, Failure>) {
    let told = match output {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(failure) => failure.to_string(),
    };
    say(std::io::stdout(), format_args!("FAILED {name}\n{told}"));
}

/// Writes a line. One that cannot be written is of no use to anybody.
pub(crate) fn say(mut to: impl Write, line: impl fmt::Display) {
    writeln!(to, "{line}").unwrap_or_default();
}
