//! See the crate's text.

mod ceremonies;
mod linked;
mod rules;
mod seeds;
mod sim;
mod single_faults;
