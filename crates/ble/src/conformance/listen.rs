//! Starting radios and listening for the adverts of a check, within the bounds of the rig.

use std::future::Future;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Bounds, Problem, Rig};
use crate::{Advertisement, Advertiser, DeviceAddress, RadioError, Scan, Scanner, ServiceUuid, Sighting};

/// Counts the series of adverts of this process, so that no two checks send the same data.
static SERIES: AtomicU16 = AtomicU16::new(0);

/// The scan of a rig.
pub(super) type ScanOf<R> = <<R as Rig>::Scanner as Scanner>::Scan;
/// The advert handle of a rig.
pub(super) type HandleOf<R> = <<R as Rig>::Advertiser as Advertiser>::Handle;

/// The adverts of one check: they share a prefix that no other advert has.
pub(super) struct Series {
    prefix: Vec<u8>,
    sent: Vec<Advertisement>,
}

impl Series {
    /// The shortest data: what an authenticator sends.
    pub(super) const SHORTEST: usize = 20;

    pub(super) fn new(rig: &impl Rig) -> Self {
        let number = SERIES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let prefix = number.into_iter().chain(rig.mark()).collect();
        Self { prefix, sent: Vec::new() }
    }

    /// The next advert: the prefix, a byte that counts, and the filling up to `length`.
    pub(super) fn advert(&mut self, uuid: ServiceUuid, length: usize, filling: u8) -> Advertisement {
        let count = u8::try_from(self.sent.len()).unwrap_or(u8::MAX);
        let mut data = self.prefix.clone();
        data.push(count);
        data.resize(length, filling);
        let advert = Advertisement::new(uuid, data);
        self.sent.push(advert.clone());
        advert
    }

    /// An advert with the usual data.
    pub(super) fn plain(&mut self) -> Advertisement {
        self.advert(ServiceUuid::Fido, Self::SHORTEST, 0xA5)
    }

    /// Which advert of the series this is. Adverts of others are `None`; data with our prefix that was not sent in
    /// this form is a problem.
    fn recognise(&self, heard: &Sighting) -> Result<Option<&Advertisement>, Problem> {
        let known = self.sent.iter().find(|sent| sent.uuid == heard.uuid && sent.data == heard.data);
        if known.is_none() && heard.data.starts_with(&self.prefix) {
            return Err(Problem::Changed { heard: heard.data.len() });
        }
        Ok(known)
    }

    /// Listens until all the wanted adverts are heard.
    pub(super) async fn hear(
        &self,
        scan: &mut impl Scan,
        wanted: &[&Advertisement],
        bounds: Bounds,
    ) -> Result<(), Problem> {
        let mut missing = wanted.to_vec();
        let end = after(bounds.hear);
        while let Some(heard) = next_before(end, scan).await? {
            if let Some(known) = self.recognise(&heard)? {
                missing.retain(|advert| *advert != known);
            }
            if missing.is_empty() {
                return Ok(());
            }
        }
        Err(Problem::NotHeard { missing: missing.len(), bound: bounds.hear })
    }

    /// Listens until an advert is heard, and tells where it comes from.
    pub(super) async fn find(
        &self,
        scan: &mut impl Scan,
        wanted: &Advertisement,
        bounds: Bounds,
    ) -> Result<DeviceAddress, Problem> {
        let end = after(bounds.hear);
        while let Some(heard) = next_before(end, scan).await? {
            if self.recognise(&heard)? == Some(wanted) {
                return Ok(heard.device);
            }
        }
        Err(Problem::NotHeard { missing: 1, bound: bounds.hear })
    }

    /// Listens, and takes it for a problem to hear one of the adverts once `grace` has passed.
    pub(super) async fn silence(
        &self,
        scan: &mut impl Scan,
        adverts: &[&Advertisement],
        grace: Duration,
        bounds: Bounds,
    ) -> Result<(), Problem> {
        let (allowed, end) = (after(grace), after(grace.saturating_add(bounds.quiet)));
        while let Some(heard) = next_before(end, scan).await? {
            let known = self.recognise(&heard)?;
            if known.is_some_and(|known| adverts.contains(&known)) && Instant::now() > allowed {
                return Err(Problem::StillHeard);
            }
        }
        Ok(())
    }

    /// Listens by asking once and giving up at once, again and again.
    pub(super) async fn hear_in_glimpses(
        &self,
        scan: &mut impl Scan,
        wanted: &Advertisement,
        bounds: Bounds,
    ) -> Result<(), Problem> {
        let end = after(bounds.hear);
        while Instant::now() < end {
            if let Some(heard) = glimpse(scan.next()).await {
                if self.recognise(&heard.map_err(listening)?)? == Some(wanted) {
                    return Ok(());
                }
            } else {
                sleep(Duration::from_millis(1)).await;
            }
        }
        Err(Problem::NotHeard { missing: 1, bound: bounds.hear })
    }
}

/// Starts a scan.
pub(super) async fn scan<R: Rig>(rig: &R) -> Result<ScanOf<R>, Problem> {
    started("scan", rig.bounds(), rig.scanner().scan()).await
}

/// Starts an advert.
pub(super) async fn advertise<R: Rig>(rig: &R, advert: &Advertisement) -> Result<HandleOf<R>, Problem> {
    started("advertise", rig.bounds(), rig.advertiser().advertise(advert.clone())).await
}

async fn started<T>(
    action: &'static str,
    bounds: Bounds,
    start: impl Future<Output = Result<T, RadioError>>,
) -> Result<T, Problem> {
    let bound = bounds.hear;
    let result = timeout(bound, start).await.map_err(|_| Problem::Stuck { action, bound })?;
    result.map_err(|source| Problem::Radio { action, source })
}

/// The next sighting before `end`. A radio that has one at any time does not keep the check going for longer.
async fn next_before(end: Instant, scan: &mut impl Scan) -> Result<Option<Sighting>, Problem> {
    if Instant::now() > end {
        return Ok(None);
    }
    timeout_at(end, scan.next()).await.ok().transpose().map_err(listening)
}

/// The time `wait` from now. A day is as good as anything longer, and within the range of the clock.
pub(super) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(86_400))
}

fn listening(source: RadioError) -> Problem {
    Problem::Radio { action: "listen", source }
}

/// Polls a future once and drops it.
async fn glimpse<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
