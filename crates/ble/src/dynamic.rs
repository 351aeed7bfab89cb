//! Object-safe twins of the radio traits.
//!
//! A program that picks its radio at run time stores an `Arc<dyn DynScanner>`. Every [`Scanner`] is a
//! [`DynScanner`], and `dyn DynScanner` is itself a [`Scanner`], so code written for the plain traits takes the
//! stored form too. The same holds for scans and advertisers.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::{Advertisement, Advertiser, RadioError, Scan, Scanner, Sighting};

/// The boxed future that the twins return.
pub type RadioFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RadioError>> + Send + 'a>>;

/// [`Scanner`] for storage as `Arc<dyn DynScanner>`. Implemented by every scanner.
pub trait DynScanner: Send + Sync {
    /// See [`Scanner::scan`].
    fn scan_dyn(&self) -> RadioFuture<'_, Box<dyn DynScan>>;
}

/// [`Scan`] for storage as `Box<dyn DynScan>`. Implemented by every scan.
pub trait DynScan: Send {
    /// See [`Scan::next`].
    fn next_dyn(&mut self) -> RadioFuture<'_, Sighting>;
}

/// [`Advertiser`] for storage as `Arc<dyn DynAdvertiser>`. Implemented by every advertiser.
pub trait DynAdvertiser: Send + Sync {
    /// See [`Advertiser::advertise`].
    fn advertise_dyn(&self, advert: Advertisement) -> RadioFuture<'_, DynHandle>;
}

/// Keeps the advert of some [`Advertiser`] on the air. Dropping it withdraws the advert.
#[must_use = "dropping the handle withdraws the advert"]
pub struct DynHandle {
    _handle: Box<dyn Any + Send>,
}

impl fmt::Debug for DynHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynHandle").finish_non_exhaustive()
    }
}

impl<T: Scanner> DynScanner for T {
    fn scan_dyn(&self) -> RadioFuture<'_, Box<dyn DynScan>> {
        Box::pin(async {
            let scan: Box<dyn DynScan> = Box::new(self.scan().await?);
            Ok(scan)
        })
    }
}

impl<T: Scan> DynScan for T {
    fn next_dyn(&mut self) -> RadioFuture<'_, Sighting> {
        Box::pin(self.next())
    }
}

impl<T: Advertiser> DynAdvertiser for T {
    fn advertise_dyn(&self, advert: Advertisement) -> RadioFuture<'_, DynHandle> {
        Box::pin(async { Ok(DynHandle { _handle: Box::new(self.advertise(advert).await?) }) })
    }
}

impl Scanner for dyn DynScanner {
    type Scan = Box<dyn DynScan>;

    fn scan(&self) -> impl Future<Output = Result<Self::Scan, RadioError>> + Send {
        self.scan_dyn()
    }
}

impl Scan for dyn DynScan {
    fn next(&mut self) -> impl Future<Output = Result<Sighting, RadioError>> + Send {
        self.next_dyn()
    }
}

impl Advertiser for dyn DynAdvertiser {
    type Handle = DynHandle;

    fn advertise(
        &self,
        advert: Advertisement,
    ) -> impl Future<Output = Result<Self::Handle, RadioError>> + Send {
        self.advertise_dyn(advert)
    }
}
