//! What the simulated air promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod chance;
mod faults;
mod hostile;
mod links;
mod model;
mod packets;
mod ranges;
mod trace;

use std::time::Duration;

use hybridge_ble::sim::{AirOptions, Probability};
use hybridge_ble::{Advertisement, RadioError, Scan, ServiceUuid, Sighting};
use tokio::time::{Instant, timeout, timeout_at};

/// Options that differ from the ideal air.
fn options(change: impl FnOnce(&mut AirOptions)) -> AirOptions {
    let mut options = AirOptions::default();
    change(&mut options);
    options
}

fn probability(value: f64) -> Probability {
    Probability::new(value).expect("a probability")
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// An advert whose data can be told from others.
fn advert(byte: u8) -> Advertisement {
    Advertisement::new(ServiceUuid::Fido, [byte; 20])
}

/// The next sighting. Nothing here is an hour away.
async fn next(scan: &mut impl Scan) -> Result<Sighting, RadioError> {
    timeout(ms(3_600_000), scan.next()).await.expect("a sighting or an error within an hour")
}

/// Everything a scan reports within a time.
async fn hear_for(scan: &mut impl Scan, time: Duration) -> Vec<Sighting> {
    let end = Instant::now() + time;
    let mut heard = Vec::new();
    while let Ok(sighting) = timeout_at(end, scan.next()).await {
        heard.push(sighting.expect("a working radio"));
    }
    heard
}
