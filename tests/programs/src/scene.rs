//! Where a case happens: a BlueZ without a radio, a tunnel service, and a folder.

use std::path::PathBuf;

use hybridge_ble::sim::Air;
use hybridge_proto::domain::DomainId;
use hybridge_testkit::{bluez::FakeBluez, tunnel::TunnelService};
use tempfile::TempDir;

use crate::{Arguments, failure::Failure};

/// The laptop's adapter, and those of two phones.
pub(crate) const LAPTOP: &str = "hci0";
pub(crate) const PHONE: &str = "hci1";
pub(crate) const OTHER_PHONE: &str = "hci2";

/// The tunnel service's number.
pub(crate) const DOMAIN: u16 = 266;

/// Everything around the programs. Dropping it ends all of it.
pub(crate) struct Scene {
    pub(crate) hybridge: PathBuf,
    pub(crate) phone: PathBuf,
    pub(crate) testbed: PathBuf,
    pub(crate) bluez: FakeBluez,
    pub(crate) tunnel: TunnelService,
    folder: TempDir,
}

impl Scene {
    pub(crate) async fn set(arguments: &Arguments) -> Result<Self, Failure> {
        let folder = TempDir::with_prefix("hybridge-programs-");
        Ok(Self {
            hybridge: arguments.hybridge.clone(),
            phone: arguments.phone.clone(),
            testbed: arguments.testbed.clone(),
            bluez: FakeBluez::start(&Air::new(1), 3).await?,
            tunnel: TunnelService::start(DomainId::new(DOMAIN), 0).await?,
            folder: folder.map_err(Failure::system("no folder"))?,
        })
    }

    /// A file of this name, which is gone after the case.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
