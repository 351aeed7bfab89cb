//! The other program of this package: a peer, in a process of its own, that carries out orders.
//!
//! A process of its own since the peers read the bus and the authority to trust from the environment, and since one
//! that goes wrong must not take the suite with it.

use std::io::Write;

use crate::orders::{Event, Order};

mod libwebauthn;
mod webauthn_laptop;
mod webauthn_phone;

/// What [`run`] is called with.
pub(crate) const LIBWEBAUTHN: &str = "libwebauthn";
pub(crate) const WEBAUTHN_LAPTOP: &str = "webauthn-authenticator-rs-laptop";
pub(crate) const WEBAUTHN_PHONE: &str = "webauthn-authenticator-rs-phone";

/// Is the peer of this name until standard input ends.
pub(crate) async fn run(name: &str) {
    match name {
        LIBWEBAUTHN => libwebauthn::run().await,
        WEBAUTHN_LAPTOP => webauthn_laptop::run().await,
        WEBAUTHN_PHONE => webauthn_phone::run().await,
        other => panic!("no peer is called {other}"),
    }
}

/// The next order; none when the suite has what it wants.
fn next_order() -> Option<Order> {
    let mut line = String::new();
    let read = tokio::task::block_in_place(|| std::io::stdin().read_line(&mut line)).unwrap();
    (read > 0).then(|| serde_json::from_str(&line).unwrap())
}

/// Tells the suite.
fn tell(event: &Event) {
    let mut line = serde_json::to_vec(event).unwrap();
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).unwrap();
}
