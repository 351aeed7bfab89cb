//! One small test for each rule of the protocol, with peers made by hand.
//!
//! A desk is a machine with a clock and a log of what it did and told, as text; `hand` is a peer that can do what no
//! machine would.

mod answering;
mod calls;
mod chaos;
mod client_desk;
mod hand;
mod linking;
mod listening;
mod neighbours;
mod over_ble;
mod phone_desk;
mod preparing;
mod requests;
mod searching;
mod sessions;
mod waiting;

use core::time::Duration;

use self::{
    client_desk::ClientDesk,
    hand::{HandLaptop, HandPhone, HandSession},
    phone_desk::PhoneDesk,
};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
