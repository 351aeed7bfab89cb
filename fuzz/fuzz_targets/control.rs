//! A request to the testbed's HTTP interface: its body, as both kinds there are, and the same text as a query. Codes that are
//! accepted are codes, waits have an end, and no error repeats what was sent.
#![no_main]

use std::time::Duration;

use hybridge_proto::qr::QrCode;
use hybridge_testkit::{
    control::{BadRequest, ScanRequest, ScriptChange, StatusRequest},
    phone::PhoneState,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(request) = check(ScanRequest::parse(bytes)) {
        QrCode::parse(&request.code).expect("only codes are scanned");
    }
    if let Some(change) = check(ScriptChange::parse(bytes)) {
        assert_eq!(ScriptChange::parse(bytes).as_ref(), Ok(&change), "the same again");
    }
    let Ok(query) = str::from_utf8(bytes) else { return };
    if let Some(request) = check(StatusRequest::parse(query)) {
        assert!(request.timeout <= Duration::from_secs(600));
        assert!(request.states.iter().all(|name| PhoneState::NAMES.contains(&name.as_str())));
    }
});

fn check<T>(parsed: Result<T, BadRequest>) -> Option<T> {
    parsed.inspect_err(|error| assert!(error.to_string().len() < 200, "a short line")).ok()
}
