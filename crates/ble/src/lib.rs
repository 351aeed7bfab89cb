//! Radios of the FIDO hybrid transport: scanner and advertiser traits, and a simulated air.
//!
//! In the hybrid transport (CTAP 2.2/2.3 section 11.5, "caBLE v2") a phone proves that it is near a computer by a
//! Bluetooth Low Energy advert, which the computer hears. This crate is that one step. A [`Scanner`] hears adverts
//! and an [`Advertiser`] sends them. Both carry *opaque* service data under two [`ServiceUuid`]s: nothing here knows
//! what the bytes mean, holds a key or decides whom to trust. Whatever a scanner hears may come from anybody.
//!
//! Handles are the radio: dropping a [`Scan`] ends it, and dropping an advertiser's handle withdraws the advert.
//! Nothing else keeps running.
//!
//! # What is here
//!
//! * The traits [`Scanner`], [`Scan`] and [`Advertiser`], for backends to implement.
//! * Their object-safe twins [`DynScanner`], [`DynScan`] and [`DynAdvertiser`], for programs that choose a radio at
//!   run time.
//! * [`l2cap`], the traits of radios that connect devices to each other.
//! * [`sim`], a simulated air with any number of devices, for tests and demonstrations without Bluetooth.
//! * [`conformance`], the checks that every backend passes.
//! * With feature `btleplug`, the module `btleplug`: listening with the system's adapter.
//! * With feature `bluez`, on Linux, the module `bluez`: advertising and L2CAP with the system's adapter.
//!
//! # Example
//!
//! A phone advertises, and a laptop in range hears it.
//!
//! ```
//! use hybridge_ble::sim::Air;
//! use hybridge_ble::{Advertisement, Advertiser, Scan, Scanner, ServiceUuid};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), hybridge_ble::RadioError> {
//! let air = Air::new(42);
//! let laptop = air.device("laptop");
//! let phone = air.device("phone");
//!
//! let mut scan = laptop.scan().await?;
//! let advert = phone.advertise(Advertisement::new(ServiceUuid::Fido, [7; 20])).await?;
//! let heard = scan.next().await?;
//! assert_eq!(heard.uuid, ServiceUuid::Fido);
//! assert_eq!(heard.data, [7; 20]);
//!
//! drop(advert); // withdraws it
//! drop(scan); // stops listening
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod address;
mod advert;
mod dynamic;
mod error;
mod radio;
#[cfg(all(target_os = "linux", any(feature = "btleplug", feature = "bluez")))]
#[cfg_attr(not(feature = "btleplug"), allow(dead_code, reason = "only who listens watches the bus"))]
mod system_bus;

#[cfg(all(target_os = "linux", feature = "bluez"))]
pub mod bluez;
#[cfg(feature = "btleplug")]
pub mod btleplug;
pub mod conformance;
pub mod l2cap;
pub mod sim;

pub use address::{AddressKind, DeviceAddress};
pub use advert::{Advertisement, PayloadLimit, ServiceUuid, Sighting};
pub use dynamic::{DynAdvertiser, DynHandle, DynScan, DynScanner, RadioFuture};
pub use error::RadioError;
pub use radio::{Advertiser, Scan, Scanner};
