//! What has to hold.

use crate::{layers, table::Case, world::World};

mod laptops;
mod linking;
mod phones;

/// All cases, in the order in which they are run.
pub(crate) fn all() -> Vec<Case<World>> {
    let mut cases = layers();
    cases.extend(laptops::cases());
    cases.extend(linking::cases());
    cases.extend(phones::cases());
    cases
}

/// The lower layers; neither a radio nor a tunnel service takes part.
fn layers() -> Vec<Case<World>> {
    const PXP: &str = "our protocol crate x pxp 0.1.0";
    const WEBAUTHN: &str = "our protocol crate x webauthn-authenticator-rs 0.6.2";
    vec![
        Case::new(PXP, "host names of all tunnel services, both peers", |_| async { layers::domains() }),
        Case::new(PXP, "digits of the QR code", |_| async { layers::digits() }),
        Case::new(PXP, "codes: read, and written again", |_| async { layers::codes() }),
        Case::new(PXP, "payload of a call to a remembered phone", |_| async { layers::client_payloads() }),
        Case::new(WEBAUTHN, "tunnel ID, advert, handshake, frames, messages", |_| {
            layers::session::sessions()
        }),
        Case::new(WEBAUTHN, "damaged codes", |_| layers::broken::codes()),
    ]
}
