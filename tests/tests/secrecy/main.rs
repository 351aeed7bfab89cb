//! What is logged of whole sessions, by this project and by all it is built on, holds no secret, payload or identifier
//! in any form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod capture;
#[path = "../../../crates/proto/tests/support/noise_reference.rs"]
#[allow(dead_code)]
mod noise_reference;
mod secrets;
mod sessions;

use capture::Capture;
use hybridge_tests::search::find_all;

/// Every part that logs at all has said something, so that its silence about secrets means something.
const SPEAKERS: [&str; 6] = [
    "hybridge_authenticator::driver",
    "hybridge_authenticator::passkey",
    "hybridge_ble::sim",
    "hybridge_client::driver",
    "hybridge_relay::service",
    "hybridge_tunnel::websocket",
];

#[tokio::test(start_paused = true)]
async fn no_secret_reaches_the_log() {
    let capture = Capture::install();
    let by_code = sessions::by_code().await;
    let by_call = sessions::by_call(&by_code.link).await;
    let log = capture.text();
    for speaker in SPEAKERS {
        assert!(log.contains(&format!(" {speaker}")), "{speaker} said nothing in {log}");
    }
    // The libraries below speak another logging language, and are heard as well.
    assert!(log.contains("log tungstenite"), "{log}");

    let secrets = secrets::of(&by_code, &by_call);
    let found = find_all(&log, &secrets);
    assert!(found.is_empty(), "{found:#?} in {log}");

    // The same eyes, on secrets that were put there.
    for secret in &secrets {
        for written in secret.written() {
            tracing::trace!(%written, "planted");
        }
    }
    let log = capture.text();
    assert_eq!(find_all(&log, &secrets).len(), secrets.len());
}
