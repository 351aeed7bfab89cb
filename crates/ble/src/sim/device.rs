//! The devices of a simulated air: the radios that tests and demonstrations hold.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tracing::debug;

use super::shared::Shared;
use super::state::{Next, State};
use super::{Action, AdvertId, ScanId};
use crate::{Advertisement, Advertiser, DeviceAddress, RadioError, Scan, Scanner, Sighting};

/// A place, or any other reason to be in range: two devices hear each other when they share a group.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RangeGroup(Arc<str>);

impl RangeGroup {
    /// The group of the given name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Default for RangeGroup {
    /// The group named "here", where devices are unless told otherwise.
    fn default() -> Self {
        Self::new("here")
    }
}

impl From<&str> for RangeGroup {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Debug for RangeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.name(), f)
    }
}

/// The state of a device's adapter.
///
/// In every state but [`Working`](Self::Working) it refuses to start something, and ends what is running of that
/// kind: scans and connections fail with the same error, adverts leave the air. The other end of a connection notices
/// four seconds later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Adapter {
    /// Sends and listens.
    #[default]
    Working,
    /// Scans and connects, and cannot advertise or be connected to: [`RadioError::Unsupported`].
    ScanOnly,
    /// Not there: [`RadioError::NoAdapter`].
    Missing,
    /// Switched off: [`RadioError::PoweredOff`].
    PoweredOff,
    /// Not for this program: [`RadioError::PermissionDenied`].
    Forbidden,
    /// Without the service that drives it: [`RadioError::ServiceGone`].
    ServiceGone,
    /// Faulty: [`RadioError::Driver`].
    Faulty,
}

/// What the driver of a faulty adapter reports.
#[derive(Debug, thiserror::Error)]
#[error("the simulated adapter is faulty")]
struct SimulatedFault;

impl Adapter {
    /// Whether an adapter in this state does what it is asked for.
    pub(crate) fn check(self, action: Action) -> Result<(), RadioError> {
        let verb = match action {
            Action::Scan => "scan",
            Action::Advertise => "advertise",
            Action::Listen => "listen for connections",
            Action::Connect => "connect to another device",
        };
        match (self, action) {
            (Self::Working, _) | (Self::ScanOnly, Action::Scan | Action::Connect) => Ok(()),
            (Self::ScanOnly, Action::Advertise | Action::Listen) => {
                Err(RadioError::Unsupported { action: verb })
            }
            (Self::Missing, _) => Err(RadioError::NoAdapter),
            (Self::PoweredOff, _) => Err(RadioError::PoweredOff),
            (Self::Forbidden, _) => Err(RadioError::PermissionDenied),
            (Self::ServiceGone, _) => Err(RadioError::ServiceGone),
            (Self::Faulty, _) => Err(RadioError::Driver { action: verb, source: Box::new(SimulatedFault) }),
        }
    }
}

/// A device in a simulated air: a [`Scanner`] and an [`Advertiser`], and both ends of [connections](crate::l2cap).
/// Clones are the same device.
///
/// Phones, laptops and attackers are all devices. An attacker that replays what it heard is a program that scans
/// and advertises; one that pretends to be another device uses [`advertise_from`](Self::advertise_from).
#[derive(Clone)]
pub struct SimDevice {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: u32,
    name: Arc<str>,
}

impl SimDevice {
    pub(crate) fn new(shared: Arc<Shared>, id: u32, name: Arc<str>) -> Self {
        Self { shared, id, name }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Changes the state of its adapter, now.
    pub fn set_adapter(&self, adapter: Adapter) {
        self.shared.change(|state| state.set_adapter(self.id, adapter));
    }

    /// Puts it into other range groups, now. In none, it neither hears nor is heard. Running scans and adverts
    /// continue, and packets already on their way still arrive. Connections to devices that are not in range any more
    /// carry nothing, and break after four seconds of that.
    pub fn move_to<G: Into<RangeGroup>>(&self, groups: impl IntoIterator<Item = G>) {
        let groups = groups.into_iter().map(Into::into).collect();
        self.shared.change(|state| state.move_to(self.id, groups));
    }

    /// How many of its scans are running, failed ones left out.
    pub fn running_scans(&self) -> usize {
        let of_mine = |state: &mut State| {
            let scans = state.scans.iter().filter(|(id, scan)| id.device == self.id && scan.failed.is_none());
            scans.count()
        };
        self.shared.with(of_mine)
    }

    /// How many connections it has open, those left out that broke.
    pub fn open_connections(&self) -> usize {
        self.shared.with(|state| state.open_links(self.id))
    }

    /// How many of its adverts are on the air.
    pub fn live_adverts(&self) -> usize {
        self.shared.with(|state| state.adverts.keys().filter(|id| id.device == self.id).count())
    }

    /// Advertises under an address of the caller's choice, for instance another device's.
    ///
    /// # Errors
    /// As [`Advertiser::advertise`].
    pub fn advertise_from(
        &self,
        advert: Advertisement,
        address: DeviceAddress,
    ) -> Result<SimAdvert, RadioError> {
        self.start(advert, Some(address))
    }

    fn start(&self, advert: Advertisement, address: Option<DeviceAddress>) -> Result<SimAdvert, RadioError> {
        let (uuid, length) = (advert.uuid, advert.data.len());
        let id = self.shared.change(|state| state.start_advert(self.id, advert, address))?;
        debug!(device = %self.name, ?uuid, length, "advert on the simulated air");
        Ok(SimAdvert { shared: Arc::clone(&self.shared), id })
    }
}

impl fmt::Debug for SimDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDevice").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Scanner for SimDevice {
    type Scan = SimScan;

    async fn scan(&self) -> Result<SimScan, RadioError> {
        let changes = self.shared.watch_changes();
        let id = self.shared.change(|state| state.start_scan(self.id))?;
        debug!(device = %self.name, "scan of the simulated air");
        Ok(SimScan { shared: Arc::clone(&self.shared), id, changes })
    }
}

impl Advertiser for SimDevice {
    type Handle = SimAdvert;

    async fn advertise(&self, advert: Advertisement) -> Result<SimAdvert, RadioError> {
        self.start(advert, None)
    }
}

/// An advert on the simulated air. Dropping it withdraws the advert.
#[must_use = "dropping the handle withdraws the advert"]
pub struct SimAdvert {
    shared: Arc<Shared>,
    id: AdvertId,
}

impl SimAdvert {
    /// The session, as the trace names it.
    pub fn id(&self) -> AdvertId {
        self.id
    }
}

impl fmt::Debug for SimAdvert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimAdvert").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for SimAdvert {
    fn drop(&mut self) {
        self.shared.with(|state| state.end_advert(self.id));
    }
}

/// A scan of the simulated air. Dropping it ends the scan.
///
/// It keeps up to 1,024 sightings for a program that does not take them; further ones are lost.
#[must_use = "dropping a scan ends it"]
pub struct SimScan {
    shared: Arc<Shared>,
    id: ScanId,
    changes: watch::Receiver<()>,
}

impl SimScan {
    /// The scan, as the trace names it.
    pub fn id(&self) -> ScanId {
        self.id
    }
}

impl Scan for SimScan {
    async fn next(&mut self) -> Result<Sighting, RadioError> {
        loop {
            // A crowded air always has something to tell; other tasks get their turn nevertheless.
            consume_budget().await;
            self.changes.mark_unchanged();
            match self.shared.with(|state| state.poll_scan(self.id))? {
                Next::Heard(sighting) => return Ok(sighting),
                Next::Wait(until) => self.shared.pause(until, &mut self.changes).await,
            }
        }
    }
}

impl fmt::Debug for SimScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimScan").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for SimScan {
    fn drop(&mut self) {
        self.shared.with(|state| state.end_scan(self.id));
    }
}
