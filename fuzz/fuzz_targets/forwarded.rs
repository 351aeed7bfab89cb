//! What a proxy says whom it speaks for: one byte that chooses the header, its first value as a chunk, and a second one. A
//! trusted proxy is never the answer, and what the last proxy says decides.
#![no_main]

use hybridge_fuzz_input::Reader;
use hybridge_relay::ForwardedHeader;
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let trusted: [IpNet; 2] =
        ["10.0.0.0/8", "2001:db8:aa::/48"].map(|network| network.parse().expect("a network"));
    let mut input = Reader::new(bytes);
    let (header, last): (_, &[u8]) = match input.byte() % 2 {
        0 => (ForwardedHeader::XForwardedFor, b"192.0.2.77"),
        _ => (ForwardedHeader::Forwarded, b"for=192.0.2.77"),
    };
    let values = [input.chunk(), input.rest()];
    if let Ok(Some(address)) = header.client(values.into_iter(), &trusted) {
        assert!(!trusted.iter().any(|network| network.contains(&address)), "{address} is trusted");
        assert_eq!(address, address.to_canonical());
    }
    let own_line = header.client([values[0], values[1], last].into_iter(), &trusted);
    // An unfinished quote makes all of it unreadable, and nothing else does.
    assert!(own_line.is_err() || own_line == Ok(Some([192, 0, 2, 77].into())));
});
