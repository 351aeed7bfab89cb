//! The simulated world of one ceremony.
//!
//! | module | what it plays |
//! |---|---|
//! | `world` | clock and queue: what happens next |
//! | `laptop`, `phone` | the drivers of the two machines, and the people who use them |
//! | `wire`, `service` | data channels, joined in pairs, and the tunnel service |
//! | `remembered` | what a laptop and a phone keep of each other |
//! | `settings` | who is there, how fast things are, and who misbehaves |
//! | `air` | adverts: the phones' own, strangers', replayed and forged ones |
//! | `faults` | what goes wrong, one decision each time something passes |
//! | `referee` | what must hold at any time and in the end |
//! | `trace`, `words` | the record of a run |

mod air;
mod dice;
mod faults;
mod laptop;
mod phone;
mod referee;
mod remembered;
mod service;
mod settings;
mod trace;
mod wire;
mod words;
mod world;

pub(crate) use self::{
    dice::{Dice, machine_rng},
    faults::{Fault, Plan, Point},
    remembered::{Remembered, domain_of},
    settings::Settings,
    trace::Who,
    wire::unwrapped,
    words::{authenticator_event, client_event},
    world::World,
};
