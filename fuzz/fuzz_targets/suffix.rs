//! The bytes behind an advert, which nothing protects.
#![no_main]

use hybridge_proto::{
    advert::{ADVERT_LENGTH, Advert, MAX_SERVICE_DATA, Psm, parse_suffix, service_data},
    cbor::check_canonical,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|suffix: &[u8]| {
    if parse_suffix(suffix).is_some() {
        check_canonical(suffix).expect("only canonical suffixes are read");
        assert!(suffix.len() <= MAX_SERVICE_DATA);
    }
    if let [high, low, ..] = suffix {
        let psm = Psm(u16::from_be_bytes([*high, *low]));
        let data = service_data(&Advert::from_bytes([0; ADVERT_LENGTH]), Some(psm));
        assert_eq!(parse_suffix(&data[ADVERT_LENGTH..]), Some(psm), "a written suffix is read");
    }
});
