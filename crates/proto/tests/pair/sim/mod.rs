//! The simulated world of one ceremony.
//!
//! | module | what it plays |
//! |---|---|
//! | `world` | clock and queue: what happens next |
//! | `laptop`, `phone` | the drivers of the two machines, and the people who use them |
//! | `wire` | data channels, joined in pairs, and the tunnel service |
//! | `air` | adverts: the phones' own, strangers', replayed and forged ones |
//! | `faults` | what goes wrong, one decision each time something passes |
//! | `referee` | what must hold at any time and in the end |
//! | `trace` | the record of a run |

mod air;
mod dice;
mod faults;
mod laptop;
mod link;
mod phone;
mod referee;
mod settings;
mod trace;
mod wire;
mod world;

pub(crate) use self::{
    dice::{Dice, machine_rng},
    faults::{Fault, Plan, Point},
    link::{Card, OWNER_CARD_DOMAIN},
    settings::Settings,
    world::{Outcome, World},
};
