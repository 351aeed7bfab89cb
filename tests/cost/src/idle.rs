//! The service at rest.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Programs, failure::Failure, figures::Figure, kernel::Sample, program::Program, service::Service,
};

/// Megabytes of memory, all processes together.
const MEMORY: f64 = 20.0;

/// Starts the service, lets a program look at the key, waits, and counts.
pub(crate) async fn measure(
    programs: &Programs,
    settle: Duration,
    look: Duration,
) -> Result<Vec<Figure>, Failure> {
    let mut service = Service::start(programs, &[], &[], &[]).await?;
    // So that it is a key that works, and the code that answers is in memory.
    Program::begin(&mut service.programs).await?.look_at_it().await?;
    sleep(settle).await;
    let before = Sample::take(service.id()?)?;
    sleep(look).await;
    let after = Sample::take(service.id()?)?;
    if after.processes < 2 {
        return Err(Failure::unexpected("the service has no key any more"));
    }
    let wakes = f64::from(u32::try_from(after.wakes_since(&before)).unwrap_or(u32::MAX));
    let figure = |name: &str, value, unit, bound| Figure { name: name.to_owned(), value, unit, bound };
    let count = |number| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(vec![
        figure("processes", count(after.processes), "", None),
        figure("threads", count(after.runs.len()), "", None),
        figure("memory in use (RSS), all processes", megabytes(after.resident), "MB", Some(MEMORY)),
        figure("the same, shared pages counted once (PSS)", megabytes(after.proportional), "MB", None),
        figure("wake-ups per second, all threads", wakes / look.as_secs_f64(), "", Some(0.0)),
    ])
}

fn megabytes(kilobytes: u64) -> f64 {
    f64::from(u32::try_from(kilobytes).unwrap_or(u32::MAX)) * 1024.0 / 1e6
}
