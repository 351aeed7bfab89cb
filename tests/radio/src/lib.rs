//! What the radios of `hybridge-ble` promise, checked over two adapters of the system, as tables of cases.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod l2cap;
mod rig;
pub mod table;
