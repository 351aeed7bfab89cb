//! What bounds one source: who a connection counts for, how fast it may ask, and how much it holds at a time.
//!
//! Plain structs: they do no I/O and read no clock.

mod accounts;
mod rate;
mod source;

pub(crate) use accounts::Accounts;
pub use rate::Rate;
pub use source::Source;
