//! Messages to and fro, three back to back, and bursts.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use crate::{
    args::PingPongArgs,
    crowd::{AT_ONCE, Rally, rally, set_up},
    end::Received,
    error::Error,
    process::allow_descriptors,
    progress::Progress,
    report::{Report, Sample},
    rounds::alternate,
    stats::{Times, float},
    subject::Subject,
    target::Tunnel,
    wire::{Message, Wire},
};

/// Messages in the bursts.
const BURSTS: [u32; 2] = [15, 100];
/// How long a burst may take to arrive.
const BURST_TIME: Duration = Duration::from_secs(5);

pub(crate) async fn run(args: &PingPongArgs, progress: &Progress) -> Result<Report, Error> {
    allow_descriptors(u64::from(args.tunnels).saturating_mul(2).saturating_add(64))?;
    let measure = async |subject: &Subject, label: &str| measure(args, subject, label, progress).await;
    let mut report = alternate("ping-pong", &args.common, args.turns, progress, measure).await?;
    report.set("tunnels", args.tunnels);
    report.set("messages", args.count);
    report.set("triples", args.triples);
    Ok(report)
}

async fn measure(
    args: &PingPongArgs,
    subject: &Subject,
    label: &str,
    progress: &Progress,
) -> Result<Sample, Error> {
    let mut sample = Sample::default();
    let mut tunnels = set_up(&subject.target, args.tunnels, AT_ONCE, progress).await?;
    for size in &args.size {
        progress.start(format!("{label}, {size} bytes"), u64::from(args.tunnels).saturating_mul(2));
        let bytes = usize::try_from(*size).unwrap_or_default();
        let message = Arc::new(Message::new(subject.target.wire, bytes, 0));
        let trips = (args.count / 2).div_ceil(args.tunnels);
        tunnels = rally(tunnels, &message, trips.div_ceil(20), progress).await?.tunnels;
        subject.settle().await?;

        let before = subject.cpu()?;
        let done = rally(tunnels, &message, trips, progress).await?;
        let cpu = before.zip(subject.cpu()?).map(|(before, after)| after - before);
        note_rally(&mut sample, *size, f64::from(trips) * f64::from(args.tunnels) * 2.0, cpu, &done);

        tunnels = done.tunnels;
        let mut tunnel = subject.target.tunnel().await?;
        let times = triples(&mut tunnel, subject.target.wire, bytes, args.triples).await?;
        sample.note(format!("three back to back p99, {size} bytes"), "µs", times.percentile(99));
        for burst in BURSTS {
            // A fresh one each time, for one that breaks under a burst would spoil the next.
            let mut tunnel = subject.target.tunnel().await?;
            let arrived = self::burst(&mut tunnel, subject.target.wire, bytes, burst).await;
            let name = format!("lost of a burst of {burst}, {size} bytes");
            sample.note(name, "", Some(float(burst.saturating_sub(arrived).into())));
        }
    }
    Ok(sample)
}

fn note_rally(sample: &mut Sample, size: u32, messages: f64, cpu: Option<f64>, done: &Rally) {
    let name = format!("CPU per million messages of {size} bytes");
    sample.note(name, "s", cpu.map(|seconds| seconds / messages * 1e6));
    let rate = messages / done.took.as_secs_f64();
    sample.note(format!("messages of {size} bytes each second"), "1/s", Some(rate));
    for percent in [50, 99] {
        let time = done.times.percentile(percent);
        sample.note(format!("round trip p{percent}, {size} bytes"), "µs", time);
    }
}

/// Times how long three messages take that are sent one after the other, until the last one is there.
async fn triples(tunnel: &mut Tunnel, wire: Wire, size: usize, count: u32) -> Result<Times, Error> {
    let messages = [1, 2, 3].map(|number| Message::new(wire, size, number));
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        for message in &messages {
            tunnel.joiner.send(&message.sent).await?;
        }
        for message in &messages {
            tunnel.opener.expect(message).await?;
        }
        times.push(start.elapsed());
    }
    Ok(Times::new(times))
}

/// Sends messages in one piece and counts how many of them arrive, in order.
async fn burst(tunnel: &mut Tunnel, wire: Wire, size: usize, count: u32) -> u32 {
    let messages: Vec<Message> = (0..count).map(|number| Message::new(wire, size, number)).collect();
    let bytes = messages.iter().flat_map(|message| message.sent.iter().copied()).collect::<Vec<u8>>();
    let Tunnel { opener, joiner } = tunnel;
    let mut arrived = 0;
    let receiving = async {
        for message in &messages {
            match opener.receive().await {
                Ok(Received::Message) if opener.message() == message.payload => arrived += 1,
                _ => break,
            }
        }
    };
    let _ = timeout(BURST_TIME, async { tokio::join!(joiner.send(&bytes), receiving) }).await;
    arrived
}
