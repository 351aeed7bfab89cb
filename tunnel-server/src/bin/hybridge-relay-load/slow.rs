//! Peers that do not read.

use std::{sync::Arc, time::Duration};

use tokio::{io::AsyncWriteExt, task::JoinSet, time::timeout};

use crate::{
    args::SlowArgs,
    crowd::{AT_ONCE, rally, set_up},
    error::Error,
    process::allow_descriptors,
    progress::Progress,
    report::{Report, Sample},
    rounds::alternate,
    stats::float,
    subject::Subject,
    target::Tunnel,
    wire::Message,
};

/// Bytes in the messages that nobody reads.
const SIZE: usize = 16 * 1024;
/// Bytes in the neighbours' messages, and how many round trips each of them makes.
const NEIGHBOURS_SIZE: usize = 256;
const NEIGHBOURS_TRIPS: u32 = 500;
/// How long nothing may go on until a tunnel counts as stalled.
const STALL: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: &SlowArgs, progress: &Progress) -> Result<Report, Error> {
    let tunnels = u64::from(args.tunnels).saturating_add(args.neighbours.into());
    allow_descriptors(tunnels.saturating_mul(2).saturating_add(64))?;
    let measure = async |subject: &Subject, label: &str| measure(args, subject, label, progress).await;
    let mut report = alternate("slow", &args.common, args.turns, progress, measure).await?;
    report.set("tunnels that are not read", args.tunnels);
    report.set("MiB for each", args.mib);
    report.set("neighbours", args.neighbours);
    Ok(report)
}

async fn measure(
    args: &SlowArgs,
    subject: &Subject,
    label: &str,
    progress: &Progress,
) -> Result<Sample, Error> {
    let mut sample = Sample::default();
    let steps = u64::from(args.tunnels).saturating_mul(3).saturating_add(u64::from(args.neighbours) * 3);
    progress.start(label.to_owned(), steps);
    let message = Arc::new(Message::new(subject.target.wire, NEIGHBOURS_SIZE, 0));
    let neighbours = set_up(&subject.target, args.neighbours, AT_ONCE, progress).await?;
    let alone = rally(neighbours, &message, NEIGHBOURS_TRIPS, progress).await?;
    let slow = set_up(&subject.target, args.tunnels, AT_ONCE, progress).await?;
    subject.settle().await?;

    let base = subject.memory()?;
    let stalled = flood_all(slow, subject, args.mib, progress).await?;
    let memory = base.zip(subject.memory()?).map(|(before, after)| after.saturating_sub(before));
    let beside = rally(alone.tunnels, &message, NEIGHBOURS_TRIPS, progress).await?;
    for (name, times) in [("alone", &alone.times), ("beside", &beside.times)] {
        sample.note(format!("neighbours' round trip p99, {name}"), "µs", times.percentile(99));
    }
    let each = |bytes: u64| float(bytes) / 1024.0 / f64::from(args.tunnels);
    let taken = stalled.iter().map(|stalled| stalled.taken).sum();
    sample.note("memory per tunnel that is not read", "KiB", memory.map(each));
    sample.note("taken in until it stalled, each", "KiB", Some(each(taken)));
    sample.note("messages sent", "", Some(float(stalled.iter().map(|stalled| stalled.sent).sum())));
    sample.note("messages read in the end", "", Some(float(drain_all(stalled, subject, progress).await?)));
    subject.settle().await?;
    let left = base.zip(subject.memory()?).map(|(before, after)| after.saturating_sub(before));
    sample.note("memory that stays behind", "KiB", left.map(|bytes| float(bytes) / 1024.0));
    Ok(sample)
}

/// A tunnel that takes nothing more in.
struct Stalled {
    tunnel: Tunnel,
    /// Bytes that were taken in.
    taken: u64,
    /// Messages of which at least a part was taken in.
    sent: u64,
    /// What is left of the last message.
    rest: Vec<u8>,
}

async fn flood_all(
    tunnels: Vec<Tunnel>,
    subject: &Subject,
    mib: u32,
    progress: &Progress,
) -> Result<Vec<Stalled>, Error> {
    let message = Arc::new(Message::new(subject.target.wire, SIZE, 0));
    let mut floods = JoinSet::new();
    for tunnel in tunnels {
        floods.spawn(flood(tunnel, Arc::clone(&message), u64::from(mib) << 20));
    }
    let mut stalled = Vec::new();
    while let Some(flooded) = floods.join_next().await {
        stalled.push(flooded.map_err(|_| Error::Ended)??);
        progress.advance(1);
    }
    Ok(stalled)
}

/// Sends until the service takes nothing more, or `most` bytes.
async fn flood(tunnel: Tunnel, message: Arc<Message>, most: u64) -> Result<Stalled, Error> {
    let mut stalled = Stalled { tunnel, taken: 0, sent: 0, rest: Vec::new() };
    while stalled.taken < most {
        let mut rest = message.sent.as_slice();
        stalled.sent = stalled.sent.saturating_add(1);
        while !rest.is_empty() {
            match timeout(STALL, stalled.tunnel.opener.io.write(rest)).await {
                Ok(written) => {
                    let written = written.map_err(Error::Connection)?;
                    rest = rest.get(written..).unwrap_or_default();
                    stalled.taken = stalled.taken.saturating_add(u64::try_from(written).unwrap_or_default());
                }
                Err(_) => {
                    stalled.rest = rest.to_vec();
                    return Ok(stalled);
                }
            }
        }
    }
    Ok(stalled)
}

/// Reads all that was sent, and says how many messages that were.
async fn drain_all(stalled: Vec<Stalled>, subject: &Subject, progress: &Progress) -> Result<u64, Error> {
    let message = Message::new(subject.target.wire, SIZE, 0);
    let mut read: u64 = 0;
    for Stalled { mut tunnel, sent, rest, .. } in stalled {
        let Tunnel { opener, joiner } = &mut tunnel;
        let reading = async {
            for _ in 0..sent {
                joiner.expect(&message).await?;
                read = read.saturating_add(1);
            }
            Ok(())
        };
        tokio::try_join!(opener.send(&rest), reading)?;
        progress.advance(1);
    }
    Ok(read)
}
