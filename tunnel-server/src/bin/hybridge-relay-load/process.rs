//! What a process costs, as the Linux kernel counts it.

use std::{fs, io, time::Duration};

use tokio::time::{Instant, sleep};

use crate::error::Error;

/// How long the CPU time has to stand still until a process counts as idle.
const STILL: Duration = Duration::from_millis(150);
/// The longest wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process whose CPU time and memory are read from `/proc`. Its children do not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pid: u32,
}

impl Process {
    pub(crate) const fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// CPU time since its start, in user and kernel mode.
    ///
    /// The sum over the threads is exact to the nanosecond. Where the kernel does not keep it, `stat` has the time in
    /// clock ticks.
    pub(crate) fn cpu(self) -> Result<Duration, Error> {
        self.threads().or_else(|_| self.ticks()).map_err(|source| self.error(source))
    }

    fn threads(self) -> io::Result<Duration> {
        let mut sum = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let text = match fs::read_to_string(thread?.path().join("schedstat")) {
                Ok(text) => text,
                // It has ended since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            sum = sum.saturating_add(Duration::from_nanos(first_number(&text)?));
        }
        Ok(sum)
    }

    fn ticks(self) -> io::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name of the program stands in parentheses and can hold anything.
        let (_, fields) = text.rsplit_once(')').ok_or(io::ErrorKind::InvalidData)?;
        let times = fields.split_whitespace().skip(11).take(2).map(first_number);
        let ticks: u64 = times.sum::<io::Result<u64>>()?;
        Ok(Duration::from_millis(ticks.saturating_mul(1000) / clock_ticks().max(1)))
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(self) -> Result<u64, Error> {
        // The roll-up is exact; the figure in `status` may lag behind by some pages for each core.
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid));
        let text = rollup.or_else(|_| fs::read_to_string(format!("/proc/{}/status", self.pid)));
        let text = text.map_err(|source| self.error(source))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:").or(line.strip_prefix("VmRSS:")));
        let kibibytes = first_number(line.unwrap_or_default()).map_err(|source| self.error(source))?;
        Ok(kibibytes.saturating_mul(1024))
    }

    /// Waits until the process has been idle for a moment, though not for ever.
    pub(crate) async fn settle(self) -> Result<(), Error> {
        let start = Instant::now();
        let mut before = self.cpu()?;
        while start.elapsed() < PATIENCE {
            sleep(STILL).await;
            let now = self.cpu()?;
            if now.saturating_sub(before) < STILL / 300 {
                break;
            }
            before = now;
        }
        Ok(())
    }

    const fn error(self, source: io::Error) -> Error {
        Error::Measure { pid: self.pid, source }
    }
}

fn first_number(text: &str) -> io::Result<u64> {
    let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(unix)]
fn clock_ticks() -> u64 {
    rustix::param::clock_ticks_per_second()
}

#[cfg(not(unix))]
fn clock_ticks() -> u64 {
    100
}

/// Allows this process, and those that it starts, as many file descriptors as the system lets it.
///
/// `needed` counts those of the larger of the two processes.
#[cfg(unix)]
pub(crate) fn allow_descriptors(needed: u64) -> Result<(), Error> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = limit.maximum;
        // What is in force afterwards is what counts.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Err(Error::Descriptors { needed, limit }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
pub(crate) fn allow_descriptors(_needed: u64) -> Result<(), Error> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_cpu_time_and_memory() {
        let process = Process::new(std::process::id());
        let before = (process.threads().unwrap(), process.ticks().unwrap());
        let held = vec![1_u8; 64 << 20];
        let memory = process.memory().unwrap();
        assert!(memory > 64 << 20);
        while process.ticks().unwrap() < before.1 + Duration::from_millis(50) {
            std::hint::black_box(held.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        }
        assert!(process.threads().unwrap() > before.0 + Duration::from_millis(20));
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(matches!(Process::new(u32::MAX).cpu(), Err(Error::Measure { .. })));
        assert!(matches!(Process::new(u32::MAX).memory(), Err(Error::Measure { .. })));
    }

    #[test]
    fn more_descriptors_than_there_are_is_an_error() {
        assert!(matches!(allow_descriptors(u64::MAX), Err(Error::Descriptors { .. })));
        allow_descriptors(1).unwrap();
    }
}
