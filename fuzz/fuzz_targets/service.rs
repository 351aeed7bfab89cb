//! Paths and the routing ID header of a tunnel service. Lines of the text stand for repeated headers.
#![no_main]

use hybridge_proto::{
    ids::RoutingId,
    service::{RoutingIdError, ServicePath, routing_id},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(path) = ServicePath::parse(text) {
        let written = path.to_string();
        assert!(written.eq_ignore_ascii_case(text), "nothing is lost");
        assert_eq!(ServicePath::parse(&written), Ok(path));
    }
    match routing_id(text.lines()) {
        Ok(routing) => {
            assert_eq!(text.lines().count(), 1);
            assert_eq!(RoutingId::from_hex(&routing.to_hex()), Ok(routing));
        }
        Err(RoutingIdError::Repeated) => assert!(text.lines().count() > 1),
        Err(_) => {}
    }
});
