//! One discovery for all scans: BlueZ takes one from each program and not several.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::host::Host;
use crate::RadioError;

/// How long BlueZ may refuse to start because it is busy. When it was killed while it listened, the kernel goes on for
/// another 10.24 s before it can be asked again.
const BUSY: Duration = Duration::from_secs(15);
/// The pause before it is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// The discovery of an adapter, which runs while somebody holds a [`Round`] of it.
pub(super) struct Discovery {
    host: Arc<Host>,
    latest: Mutex<Latest>,
}

/// The round that was begun last.
#[derive(Default)]
struct Latest {
    round: Weak<Round>,
    task: Option<JoinHandle<()>>,
}

impl Discovery {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host, latest: Mutex::default() }
    }

    /// Takes part in the round that runs, or begins one. Returns once the adapter listens.
    pub(super) async fn join(&self) -> Result<Arc<Round>, RadioError> {
        let mut latest = self.latest.lock().await;
        if let Some(round) = latest.round.upgrade().filter(|round| !round.is_over()) {
            return Ok(round);
        }
        // The end of the last round must not reach BlueZ after the start of the next.
        if let Some(task) = &mut latest.task {
            let _ = task.await;
        }
        let (started, start) = oneshot::channel();
        let (ending, end) = watch::channel(None);
        let (hold, stop) = oneshot::channel();
        let round = Arc::new(Round { end, _hold: hold });
        latest.round = Arc::downgrade(&round);
        latest.task = Some(tokio::spawn(run(Arc::clone(&self.host), stop, started, ending)));
        start.await.unwrap_or(Err(RadioError::ServiceGone)).map(|()| round)
    }
}

/// A discovery that runs. It ends when everybody has dropped theirs, or on a fault.
pub(super) struct Round {
    end: watch::Receiver<Option<RadioError>>,
    _hold: oneshot::Sender<()>,
}

impl Round {
    fn is_over(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Waits for the fault that ends the round.
    pub(super) async fn over(&self) -> RadioError {
        let mut end = self.end.clone();
        let fault = end.wait_for(Option::is_some).await;
        fault.ok().and_then(|fault| fault.as_ref().map(again)).unwrap_or(RadioError::ServiceGone)
    }
}

/// The same error once more, for another scan that it ends.
fn again(error: &RadioError) -> RadioError {
    match error {
        RadioError::NoAdapter => RadioError::NoAdapter,
        RadioError::AdapterNotFound { name, present } => {
            RadioError::AdapterNotFound { name: name.clone(), present: present.clone() }
        }
        RadioError::PoweredOff => RadioError::PoweredOff,
        RadioError::PermissionDenied => RadioError::PermissionDenied,
        RadioError::ServiceGone => RadioError::ServiceGone,
        RadioError::Driver { action, source } => {
            RadioError::Driver { action, source: source.to_string().into() }
        }
        other => RadioError::Driver { action: "scan", source: other.to_string().into() },
    }
}

/// Starts, keeps going what can be kept going, and stops.
async fn run(
    host: Arc<Host>,
    mut stop: oneshot::Receiver<()>,
    started: oneshot::Sender<Result<(), RadioError>>,
    ending: watch::Sender<Option<RadioError>>,
) {
    let mut upsets = host.upsets();
    // Not cut short when nobody waits any more, as what was asked of BlueZ has to be taken back in order.
    let start = start(&host).await;
    let failed = start.is_err();
    let _ = started.send(start);
    if failed {
        return;
    }
    if let Some(fault) = keep(&host, &mut upsets, &mut stop).await {
        tracing::debug!(%fault, "a scan ends");
        ending.send_replace(Some(fault));
    }
    host.stop().await;
}

/// Starts again whenever the adapter may have forgotten that it is to listen. Gives the fault that ends this, or
/// nothing when the round is not wanted any more.
async fn keep(
    host: &Host,
    upsets: &mut watch::Receiver<u64>,
    stop: &mut oneshot::Receiver<()>,
) -> Option<RadioError> {
    loop {
        tokio::select! {
            _ = &mut *stop => return None,
            changed = upsets.changed() => if changed.is_err() { return Some(RadioError::ServiceGone) },
        }
        tokio::select! {
            _ = &mut *stop => return None,
            settled = host.settle() => if let Err(fault) = settled { return Some(fault) },
        }
        upsets.mark_unchanged();
        host.stop().await;
        match start(host).await {
            Ok(()) => tracing::debug!("a scan goes on after the adapter or its service was gone"),
            // Another upset meanwhile: see what becomes of that.
            Err(_) if upsets.has_changed().unwrap_or(false) => {}
            Err(fault) => return Some(fault),
        }
    }
}

async fn start(host: &Host) -> Result<(), RadioError> {
    let begun = Instant::now();
    loop {
        // The library switches on what is off, which is for the user to do.
        host.look().await?;
        match host.start().await {
            Err(RadioError::Driver { .. }) if begun.elapsed() < BUSY => {
                host.stop().await;
                sleep(AGAIN).await;
            }
            result => return result,
        }
    }
}
