//! The two traits that every radio implements.

use std::future::Future;
use std::sync::Arc;

use crate::{Advertisement, RadioError, Sighting};

/// A radio that can listen.
///
/// Several scans may run at once, and ending one leaves the others running. Implementations are compared with
/// each other by the checks of [`conformance`](crate::conformance).
pub trait Scanner: Send + Sync {
    /// A running scan.
    type Scan: Scan + 'static;

    /// Starts to listen for service data under either [`ServiceUuid`](crate::ServiceUuid), and returns once the
    /// radio listens.
    ///
    /// # Errors
    /// Any [`RadioError`] but [`RadioError::AdvertTooLarge`], when the radio cannot listen now. Nothing is left
    /// running then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no scan running.
    fn scan(&self) -> impl Future<Output = Result<Self::Scan, RadioError>> + Send;
}

/// A running scan. Dropping it ends the scan.
#[must_use = "dropping a scan ends it"]
pub trait Scan: Send {
    /// Waits for the next advert.
    ///
    /// Adverts repeat several times a second, and a radio may report every repetition or only some of them. It may
    /// also report one that is no longer on the air, from the system's memory. Adverts that were on the air
    /// before the scan started are heard as well. Which of the sightings concern the caller is for it to find
    /// out: everyone's adverts come through.
    ///
    /// # Errors
    /// Any [`RadioError`] but [`RadioError::AdvertTooLarge`], when the radio stopped listening. The scan is over
    /// then, and every later call fails as well.
    ///
    /// # Cancel safety
    /// Dropping the future loses no sighting: the next call continues where this one was.
    fn next(&mut self) -> impl Future<Output = Result<Sighting, RadioError>> + Send;
}

/// A radio that can send.
///
/// Several adverts may be on the air at once, as far as the adapter allows it.
pub trait Advertiser: Send + Sync {
    /// Keeps an advert on the air. Dropping it withdraws the advert, at the latest a short time afterwards.
    type Handle: Send + 'static;

    /// Puts an advert on the air, repeated until the handle is dropped, and returns once the radio sends.
    ///
    /// When the adapter fails later, the advert ends without notice, or is put on the air again where the radio can
    /// tell that it has to: a sender learns nothing about its receivers in any case.
    ///
    /// # Errors
    /// [`RadioError::AdvertTooLarge`] before anything is sent, when the service data does not fit. Any other
    /// [`RadioError`] when the radio cannot send now. Nothing is left on the air then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing on the air.
    fn advertise(
        &self,
        advert: Advertisement,
    ) -> impl Future<Output = Result<Self::Handle, RadioError>> + Send;
}

/// Lets every pointer to a radio stand for the radio.
macro_rules! forward_radio {
    ($($pointer:ty),+) => {$(
        impl<T: Scanner + ?Sized> Scanner for $pointer {
            type Scan = T::Scan;

            fn scan(&self) -> impl Future<Output = Result<Self::Scan, RadioError>> + Send {
                T::scan(self)
            }
        }

        impl<T: Advertiser + ?Sized> Advertiser for $pointer {
            type Handle = T::Handle;

            fn advertise(
                &self,
                advert: Advertisement,
            ) -> impl Future<Output = Result<Self::Handle, RadioError>> + Send {
                T::advertise(self, advert)
            }
        }
    )+};
}

forward_radio!(&T, Box<T>, Arc<T>);

impl<T: Scan + ?Sized> Scan for Box<T> {
    fn next(&mut self) -> impl Future<Output = Result<Sighting, RadioError>> + Send {
        T::next(self)
    }
}
