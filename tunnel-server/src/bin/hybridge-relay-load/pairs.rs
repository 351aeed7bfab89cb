//! Joined tunnels that are held.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    args::{PairsArgs, Turns},
    crowd::{AT_ONCE, rally, set_up},
    error::Error,
    process::allow_descriptors,
    progress::Progress,
    report::{Report, Sample},
    rounds::alternate,
    stats::{Times, float, line},
    subject::Subject,
    target::Tunnel,
    wire::Message,
};

/// Bytes in a busy tunnel's messages.
const SIZE: usize = 256;
/// How long a server may take to give memory back to the system.
const AFTER: Duration = Duration::from_secs(3);
/// Memory is read so many times while the tunnels come.
const STEPS: u32 = 4;

pub(crate) async fn run(args: &PairsArgs, progress: &Progress) -> Result<Report, Error> {
    let sockets = u64::from(args.tunnels).saturating_add(args.busy.into()).saturating_mul(2);
    allow_descriptors(sockets.saturating_add(64))?;
    // What a running service has once used and freed, a second round would not see it ask for again.
    let rounds = if args.common.url.is_some() { 1 } else { args.turns.rounds };
    let turns = Turns { rounds, ..args.turns };
    let measure = async |subject: &Subject, label: &str| measure(args, subject, label, progress).await;
    let mut report = alternate("pairs", &args.common, turns, progress, measure).await?;
    report.set("tunnels", args.tunnels);
    report.set("busy", args.busy);
    report.set("round trips of each busy one", args.trips);
    Ok(report)
}

async fn measure(
    args: &PairsArgs,
    subject: &Subject,
    label: &str,
    progress: &Progress,
) -> Result<Sample, Error> {
    let mut sample = Sample::default();
    let message = Arc::new(Message::new(subject.target.wire, SIZE, 0));
    let start = subject.memory()?;
    progress.start(format!("{label}: busy tunnels alone"), u64::from(args.busy).saturating_mul(2));
    let busy = set_up(&subject.target, args.busy, AT_ONCE, progress).await?;
    let alone = rally(busy, &message, args.trips, progress).await?;
    subject.settle().await?;

    let held = hold(args, subject, label, progress, &mut sample).await?;
    progress.start(format!("{label}: busy tunnels next to idle ones"), args.busy.into());
    let beside = rally(alone.tunnels, &message, args.trips, progress).await?;
    note_latency(&mut sample, &alone.times, &beside.times);

    drop((held, beside));
    subject.settle().await?;
    sleep(AFTER).await;
    sample.note("memory at the start", "MiB", start.map(mebibytes));
    sample.note("memory after the load", "MiB", subject.memory()?.map(mebibytes));
    Ok(sample)
}

/// Sets up the tunnels step by step and notes what they cost.
async fn hold(
    args: &PairsArgs,
    subject: &Subject,
    label: &str,
    progress: &Progress,
    sample: &mut Sample,
) -> Result<Vec<Tunnel>, Error> {
    progress.start(format!("{label}: idle tunnels"), args.tunnels.into());
    let base = subject.memory()?;
    let before = subject.cpu()?;
    let mut tunnels: Vec<Tunnel> = Vec::new();
    let mut points: Vec<(f64, f64)> = base.map(|base| (0.0, float(base))).into_iter().collect();
    for step in 1..=STEPS {
        let have = u32::try_from(tunnels.len()).unwrap_or(u32::MAX);
        let wanted = args.tunnels / STEPS * step + args.tunnels % STEPS * step / STEPS;
        tunnels.extend(set_up(&subject.target, wanted.saturating_sub(have), AT_ONCE, progress).await?);
        subject.settle().await?;
        points.extend(subject.memory()?.map(|memory| (f64::from(wanted), float(memory))));
    }
    let cpu = before.zip(subject.cpu()?).map(|(before, after)| after - before);
    let total = points.first().zip(points.last()).map(|(first, last)| last.1 - first.1);
    let each = |whole: f64| whole / f64::from(args.tunnels);
    let line = line(&points);
    sample.note("memory per joined tunnel", "KiB", total.map(|bytes| each(bytes) / 1024.0));
    sample.note("the same, slope of the line", "KiB", line.as_ref().map(|line| line.slope / 1024.0));
    sample.note("farthest point from the line", "%", line.map(|line| line.deviation * 100.0));
    sample.note("CPU per set-up", "µs", cpu.map(|seconds| each(seconds) * 1e6));
    Ok(tunnels)
}

fn note_latency(sample: &mut Sample, alone: &Times, beside: &Times) {
    for percent in [50, 99] {
        let (alone, beside) = (alone.percentile(percent), beside.percentile(percent));
        sample.note(format!("round trip p{percent}, busy ones alone"), "µs", alone);
        sample.note(format!("round trip p{percent}, idle ones held"), "µs", beside);
        let ratio = alone.zip(beside).map(|(alone, beside)| beside / alone);
        sample.note(format!("round trip p{percent}, held / alone"), "", ratio);
    }
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}
