//! Strangers that misbehave.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    args::AbuseArgs,
    crowd::round_trip,
    error::Error,
    process::allow_descriptors,
    progress::Progress,
    report::{Report, Sample},
    stats::{Times, float},
    subject::{Limits, Subject},
    target::Target,
    wire::Message,
};

mod kind;

use kind::{Kind, Outcome};

/// How long after a good tunnel the next one is tried, and how long one may take.
const PACE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes in a good tunnel's messages.
const SIZE: usize = 256;

pub(crate) async fn run(args: &AbuseArgs, progress: &Progress) -> Result<Report, Error> {
    let sockets = Kind::ALL.map(|kind| kind.sockets(args.count)).into_iter().max().unwrap_or_default();
    allow_descriptors(sockets.saturating_add(64))?;
    let subject = Subject::service(&args.common, Limits::Default).await?;
    let (memory, cpu, start) = (subject.memory()?, subject.cpu()?, Instant::now());
    let mut good = Good::default();
    let counts = tokio::select! {
        counts = storm(args, &subject.target, progress) => counts,
        never = good.watch(&subject.target) => match never {},
    };
    let took = start.elapsed().as_secs_f64();

    let mut sample = Sample::default();
    for ((kind, outcome), count) in &counts {
        sample.note(format!("{}: {outcome}", kind.name()), "", Some(float(*count)));
    }
    good.note(&mut sample);
    let cpu = cpu.zip(subject.cpu()?).map(|(before, after)| (after - before) / took * 100.0);
    sample.note("CPU meanwhile, of one core", "%", cpu);
    subject.settle().await?;
    for (name, bytes) in [("memory before", memory), ("memory after", subject.memory()?)] {
        sample.note(name, "KiB", bytes.map(|bytes| float(bytes) / 1024.0));
    }
    let alive = good.probe(&subject.target).await;
    sample.note("good tunnel in the end", "", Some(f64::from(u8::from(alive))));

    let mut report = Report::new("abuse");
    report.set("connections of each kind", args.count);
    report.add(sample, None);
    Ok(report)
}

/// Lets one kind after the other loose, and counts what comes of it.
async fn storm(args: &AbuseArgs, target: &Target, progress: &Progress) -> BTreeMap<(Kind, Outcome), u64> {
    let wait = Duration::from_secs(args.wait.into());
    let mut counts: BTreeMap<(Kind, Outcome), u64> = BTreeMap::new();
    for kind in Kind::ALL {
        progress.start(kind.name().to_owned(), args.count.into());
        let at_once = usize::try_from(args.count.min(kind.most_at_once())).unwrap_or(1);
        let mut outcomes =
            stream::iter(0..args.count).map(|_| kind.act(target, wait)).buffer_unordered(at_once);
        while let Some(outcome) = outcomes.next().await {
            let count = counts.entry((kind, outcome)).or_default();
            *count = count.saturating_add(1);
            progress.advance(1);
        }
    }
    counts
}

/// Well-behaved peers meanwhile.
#[derive(Default)]
struct Good {
    served: Vec<Duration>,
    failed: u64,
}

impl Good {
    async fn watch(&mut self, target: &Target) -> Infallible {
        loop {
            self.probe(target).await;
            sleep(PACE).await;
        }
    }

    /// Sets up a tunnel and sends a message each way; false if that did not work.
    async fn probe(&mut self, target: &Target) -> bool {
        let start = Instant::now();
        let lifecycle = async {
            let mut tunnel = target.tunnel().await?;
            round_trip(&mut tunnel, &Message::new(target.wire, SIZE, 0)).await
        };
        let served = matches!(timeout(PATIENCE, lifecycle).await, Ok(Ok(())));
        match served {
            true => self.served.push(start.elapsed()),
            false => self.failed = self.failed.saturating_add(1),
        }
        served
    }

    fn note(&self, sample: &mut Sample) {
        let served = u64::try_from(self.served.len()).unwrap_or(u64::MAX);
        sample.note("good tunnels meanwhile", "", Some(float(served)));
        sample.note("good tunnels that failed", "", Some(float(self.failed)));
        let times = Times::new(self.served.clone());
        sample.note("good tunnel p50", "µs", times.percentile(50));
        sample.note("good tunnel p99", "µs", times.percentile(99));
    }
}
