use proptest::prelude::*;

use super::*;

/// A header of version 2.
fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap();
    [&SIGNATURE[..], &[0x20 | command, family], &length.to_be_bytes(), rest].concat()
}

/// Reads as a connection would: the fixed part, then what it announces.
fn read(bytes: &[u8]) -> Result<(Origin, usize), ProxyProtocolError> {
    let prefix = Prefix::parse(bytes.first_chunk().ok_or(ProxyProtocolError::Truncated)?)?;
    let end = (FIXED + prefix.rest()).min(bytes.len());
    prefix.origin(&bytes[FIXED..end]).map(|origin| (origin, end))
}

fn address_of(bytes: &[u8]) -> IpAddr {
    match read(bytes) {
        Ok((Origin::Peer(address), _)) => address,
        other => panic!("{other:?}"),
    }
}

const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0xD4, 0x31, 1, 0xBB];

#[test]
fn the_source_address_is_read() {
    assert_eq!(address_of(&header(1, 0x11, &V4)), IpAddr::from([192, 0, 2, 7]));
    let mut v6 = [0_u8; 36];
    v6[..16].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(address_of(&header(1, 0x21, &v6)), "2001:db8::7".parse::<IpAddr>().unwrap());
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_counts_as_itself() {
    let mut mapped = [0_u8; 36];
    mapped[..16].copy_from_slice(&"::ffff:192.0.2.7".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(address_of(&header(1, 0x21, &mapped)), IpAddr::from([192, 0, 2, 7]));
}

#[test]
fn a_check_by_the_proxy_itself_is_told_apart() {
    assert_eq!(read(&header(0, 0, &[])), Ok((Origin::Proxy, 16)));
    // Its addresses are to be ignored, whatever they say.
    assert_eq!(read(&header(0, 0x11, &[1, 2])), Ok((Origin::Proxy, 18)));
}

#[test]
fn other_families_have_no_address() {
    assert_eq!(read(&header(1, 0x00, &[])), Ok((Origin::Unspecified, 16)));
    assert_eq!(read(&header(1, 0x31, &[0; 216])), Ok((Origin::Unspecified, 232)));
}

#[test]
fn extensions_are_skipped_up_to_the_bound() {
    let with = |length: usize| header(1, 0x11, &[&V4[..], &vec![4; length]].concat());
    let most = MAX_REST - V4.len();
    assert_eq!(read(&with(most)), Ok((Origin::Peer([192, 0, 2, 7].into()), FIXED + MAX_REST)));
    assert_eq!(read(&with(most + 1)), Err(ProxyProtocolError::TooLong));
}

#[test]
fn what_is_no_header_is_named() {
    let cases: [(&[u8], ProxyProtocolError); 5] = [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 54321 443\r\n", ProxyProtocolError::Version1),
        (b"GET /cable/new/00 HTTP/1.1\r\n", ProxyProtocolError::Missing),
        (&header(2, 0x11, &V4), ProxyProtocolError::Unknown),
        (&header(1, 0x11, &V4[..11]), ProxyProtocolError::Truncated),
        (&header(1, 0x11, &V4)[..27], ProxyProtocolError::Truncated),
    ];
    for (bytes, error) in cases {
        assert_eq!(read(bytes), Err(error), "{bytes:?}");
    }
    let mut version = header(1, 0x11, &V4);
    version[12] = 0x31;
    assert_eq!(read(&version), Err(ProxyProtocolError::Unknown));
}

proptest! {
    #[test]
    fn any_bytes_are_read_within_their_length(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn what_follows_the_header_changes_nothing(
        command in 0_u8..3, family: u8, rest in prop::collection::vec(any::<u8>(), 0..300), tail: Vec<u8>,
    ) {
        let header = header(command, family, &rest);
        let alone = read(&header);
        prop_assert_eq!(read(&[header.clone(), tail].concat()), alone);
        if let Ok((_, taken)) = alone {
            prop_assert_eq!(taken, header.len());
        }
    }

    #[test]
    fn every_source_address_comes_out(address: u32, rest in prop::collection::vec(any::<u8>(), 8..100)) {
        let rest = [&address.to_be_bytes()[..], &rest].concat();
        prop_assert_eq!(address_of(&header(1, 0x11, &rest)), IpAddr::from(address.to_be_bytes()));
    }
}
