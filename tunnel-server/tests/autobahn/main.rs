//! The cases of the Autobahn test suite (crossbario/autobahn-testsuite), by its numbers, against the service with a
//! peer that echoes at the tunnel's other end. Each case runs from both ends of the tunnel.
//!
//! Where the suite sends text, this sends binary messages, as the service refuses text. What that leaves out, and what
//! else does not apply:
//!
//! | cases | why not |
//! |---|---|
//! | 1.1 | text; `the_text_cases_are_closed_with_1003` has them, and 1.2 the same lengths as binary messages |
//! | 6.1 to 6.4 | text: UTF-8 in messages is nobody's business here; close reasons are in 7.5 |
//! | 9.1, 9.3, 9.5 | text; 9.2, 9.4 and 9.6 are the same as binary messages |
//! | 9.7, 9.8, 9.9 | speed of many messages, text and binary; the load generator measures that |
//! | 12, 13 | compression; the service does not negotiate extensions |
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod run;

use cases::{closing, fragments, framing, large, opcodes, pings, reserved_bits, text};
use run::{Case, run};

async fn all(cases: Vec<Case>) {
    assert!(!cases.is_empty());
    for case in &cases {
        run(case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn case_1_framing() {
    all(framing()).await;
}

#[tokio::test(start_paused = true)]
async fn case_2_pings_and_pongs() {
    all(pings()).await;
}

#[tokio::test(start_paused = true)]
async fn case_3_reserved_bits() {
    all(reserved_bits()).await;
}

#[tokio::test(start_paused = true)]
async fn case_4_opcodes() {
    all(opcodes()).await;
}

#[tokio::test(start_paused = true)]
async fn case_5_fragmentation() {
    all(fragments()).await;
}

#[tokio::test(start_paused = true)]
async fn case_7_closing() {
    all(closing()).await;
}

#[tokio::test(start_paused = true)]
async fn cases_9_and_10_large_and_fragmented() {
    all(large()).await;
}

#[tokio::test(start_paused = true)]
async fn the_text_cases_are_closed_with_1003() {
    all(text()).await;
}
