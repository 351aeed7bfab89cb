//! Tunnels from beginning to end.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::{
    args::LifecycleArgs,
    crowd::{round_trip, set_up},
    error::Error,
    process::allow_descriptors,
    progress::Progress,
    report::{Report, Sample},
    rounds::alternate,
    stats::{Times, float},
    subject::Subject,
    target::{Target, Tunnel},
    wire::Message,
};

/// Round trips in a lifecycle.
const TRIPS: u32 = 3;
/// Lifecycles before the first that is measured.
const WARM_UP: u32 = 500;
/// After so many lifecycles a service has all the memory that it needs for any number of them.
const EARLY: u32 = 10_000;

pub(crate) async fn run(args: &LifecycleArgs, progress: &Progress) -> Result<Report, Error> {
    let sockets = u64::from(args.set_ups.max(args.at_once)).saturating_mul(2);
    allow_descriptors(sockets.saturating_add(64))?;
    let measure = async |subject: &Subject, label: &str| measure(args, subject, label, progress).await;
    let mut report = alternate("lifecycle", &args.common, args.turns, progress, measure).await?;
    report.set("lifecycles", args.count);
    report.set("set-ups", args.set_ups);
    report.set("at once", args.at_once);
    report.set("bytes", args.size);
    Ok(report)
}

async fn measure(
    args: &LifecycleArgs,
    subject: &Subject,
    label: &str,
    progress: &Progress,
) -> Result<Sample, Error> {
    let mut sample = Sample::default();
    let size = usize::try_from(args.size).unwrap_or_default();
    let message = Message::new(subject.target.wire, size, 0);
    let total = u64::from(args.set_ups).saturating_add(args.count.into());
    progress.start(label.to_owned(), total.saturating_add(WARM_UP.into()));
    lifecycles(&subject.target, &message, WARM_UP, args.at_once, progress).await?;
    subject.settle().await?;

    let before = subject.cpu()?;
    let held = set_up(&subject.target, args.set_ups, args.at_once, progress).await?;
    subject.settle().await?;
    note_cpu(&mut sample, "CPU per set-up", before, subject.cpu()?, args.set_ups);
    drop(held);
    subject.settle().await?;

    let before = subject.cpu()?;
    let start = Instant::now();
    let early = args.count.min(EARLY);
    let mut times = lifecycles(&subject.target, &message, early, args.at_once, progress).await?;
    let memory = subject.memory()?.map(float);
    times.extend(lifecycles(&subject.target, &message, args.count - early, args.at_once, progress).await?);
    let times = Times::new(times);
    let rate = f64::from(args.count) / start.elapsed().as_secs_f64();
    subject.settle().await?;
    note_cpu(&mut sample, "CPU per lifecycle", before, subject.cpu()?, args.count);
    sample.note("lifecycles each second", "1/s", Some(rate));
    sample.note("lifecycle p50", "µs", times.percentile(50));
    sample.note("lifecycle p99", "µs", times.percentile(99));
    let later = subject.memory()?.map(float).filter(|_| args.count > early);
    sample.note("memory at the end / after 10000", "", memory.zip(later).map(|(early, later)| later / early));
    Ok(sample)
}

fn note_cpu(sample: &mut Sample, name: &str, before: Option<f64>, after: Option<f64>, count: u32) {
    let seconds = before.zip(after).map(|(before, after)| after - before);
    sample.note(name, "µs", seconds.map(|seconds| seconds / f64::from(count) * 1e6));
}

async fn lifecycles(
    target: &Target,
    message: &Message,
    count: u32,
    at_once: u32,
    progress: &Progress,
) -> Result<Vec<Duration>, Error> {
    let at_once = usize::try_from(at_once).unwrap_or(1);
    let mut living = stream::iter(0..count).map(|_| lifecycle(target, message)).buffer_unordered(at_once);
    let mut times = Vec::new();
    while let Some(time) = living.next().await {
        times.push(time?);
        progress.advance(1);
    }
    Ok(times)
}

async fn lifecycle(target: &Target, message: &Message) -> Result<Duration, Error> {
    let start = Instant::now();
    let mut tunnel = target.tunnel().await?;
    for _ in 0..TRIPS {
        round_trip(&mut tunnel, message).await?;
    }
    let Tunnel { mut opener, joiner } = tunnel;
    let closing = async {
        opener.close().await?;
        opener.closed().await
    };
    tokio::try_join!(closing, joiner.answer_close())?;
    Ok(start.elapsed())
}
