//! How much this crate adds to the cryptography it cannot do without, as a table:
//!
//! ```text
//! cargo bench -p hybridge-proto --bench ratios
//! ```
//!
//! Both sides of a comparison run in short batches that take turns, so that a busy machine slows both alike, and the
//! ratio is the median over the turns. It prints, it does not judge: the exit status is 0 whatever the figures are.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and prints")]

mod operations;

use std::{
    env,
    io::{self, Write},
    time::{Duration, Instant},
};

use operations::Comparison;

/// How many turns each side gets.
const TURNS: usize = 401;
/// How long one batch is to take.
const BATCH: Duration = Duration::from_millis(2);

struct Measured {
    whole: f64,
    bare: f64,
    ratio: f64,
}

fn main() -> io::Result<()> {
    // `cargo bench` says so; without it, as in `cargo test --benches`, one turn shows that everything runs.
    let turns = if env::args().any(|argument| argument == "--bench") { TURNS } else { 1 };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<38} {:>11}   {:<24} {:>11} {:>6} {:>6}",
        "operation", "takes", "bare cryptography", "takes", "ratio", "bound"
    )?;
    for mut comparison in operations::all() {
        let Measured { whole, bare, ratio } = measure(&mut comparison, turns);
        let Comparison { operation, cryptography, bound, .. } = comparison;
        let (whole, bare) = (micros(whole), micros(bare));
        let verdict = if ratio <= bound { "ok" } else { "over" };
        writeln!(
            out,
            "{operation:<38} {whole:>11}   {cryptography:<24} {bare:>11} {ratio:>6.3} {bound:>6.2} {verdict}"
        )?;
    }
    Ok(())
}

fn measure(comparison: &mut Comparison, turns: usize) -> Measured {
    let repeats = (calibrate(&mut comparison.whole), calibrate(&mut comparison.bare));
    let mut taken = Vec::with_capacity(turns);
    for turn in 0..turns {
        // Who goes first changes, so that neither side always finds the other's traces in the caches.
        let (whole, bare);
        if turn % 2 == 0 {
            whole = batch(&mut comparison.whole, repeats.0);
            bare = batch(&mut comparison.bare, repeats.1);
        } else {
            bare = batch(&mut comparison.bare, repeats.1);
            whole = batch(&mut comparison.whole, repeats.0);
        }
        taken.push((whole, bare));
    }
    Measured {
        whole: median(taken.iter().map(|(whole, _)| *whole)),
        bare: median(taken.iter().map(|(_, bare)| *bare)),
        ratio: median(taken.iter().map(|(whole, bare)| whole / bare)),
    }
}

/// How many repetitions fill a batch. Warms up on the way.
fn calibrate(operation: &mut dyn FnMut()) -> u32 {
    let mut repeats = 1_u32;
    loop {
        let taken = batch(operation, repeats) * f64::from(repeats);
        if taken >= BATCH.as_secs_f64() || repeats >= 1 << 20 {
            return repeats;
        }
        repeats = repeats.saturating_mul(2);
    }
}

/// Seconds for one repetition.
fn batch(operation: &mut dyn FnMut(), repeats: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        operation();
    }
    start.elapsed().as_secs_f64() / f64::from(repeats)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn micros(seconds: f64) -> String {
    format!("{:.3} us", seconds * 1e6)
}
