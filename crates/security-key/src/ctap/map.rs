//! CBOR maps in canonical form, taken apart and put together again member by member, so that what is not known stays.

use core::convert::Infallible;

use hybridge_proto::cbor::canonicalize;
use minicbor::{Decoder, Encoder, encode};

use super::status::StatusCode;

pub(crate) type Writer = Encoder<Vec<u8>>;
pub(crate) type Written = Result<(), encode::Error<Infallible>>;

/// A map whose keys and values are encoded items.
#[derive(Clone, Default)]
pub(crate) struct Members(Vec<(Vec<u8>, Vec<u8>)>);

impl Members {
    /// Reads a map and puts it into canonical form.
    pub(crate) fn read(cbor: &[u8]) -> Result<Self, StatusCode> {
        let canonical = canonicalize(cbor).map_err(|_| StatusCode::INVALID_CBOR)?;
        let mut decoder = Decoder::new(&canonical);
        let pairs = decoder.map().map_err(|_| StatusCode::CBOR_UNEXPECTED_TYPE)?.unwrap_or_default();
        let mut members = Vec::new();
        for _ in 0..pairs {
            let key = item(&mut decoder).ok_or(StatusCode::INVALID_CBOR)?;
            let value = item(&mut decoder).ok_or(StatusCode::INVALID_CBOR)?;
            members.push((key.to_vec(), value.to_vec()));
        }
        Ok(Self(members))
    }

    /// The value behind a numbered key below 24.
    pub(crate) fn number(&self, key: u8) -> Option<&[u8]> {
        self.value(&[key])
    }

    /// The value behind a named key.
    pub(crate) fn name(&self, key: &str) -> Option<&[u8]> {
        self.value(&write(|key_writer| key_writer.str(key).map(drop)))
    }

    fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_slice())
    }

    /// Puts a value behind a numbered key below 24, or takes the member away.
    pub(crate) fn set(&mut self, key: u8, value: Option<Vec<u8>>) {
        self.0.retain(|(found, _)| found != &[key]);
        self.0.extend(value.map(|value| (vec![key], value)));
    }

    /// The map in canonical form.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let mut encoded = write(|map| map.map(length).map(drop));
        for (key, value) in &self.0 {
            encoded.extend_from_slice(key);
            encoded.extend_from_slice(value);
        }
        // Only the order can be wrong, so this does not fail.
        canonicalize(&encoded).unwrap_or(encoded)
    }
}

/// Writes CBOR to memory, where nothing can fail.
pub(crate) fn write(contents: impl FnOnce(&mut Writer) -> Written) -> Vec<u8> {
    let mut writer = Encoder::new(Vec::new());
    match contents(&mut writer) {
        Ok(()) | Err(_) => writer.into_writer(),
    }
}

/// The bytes of the next item.
pub(crate) fn item<'b>(decoder: &mut Decoder<'b>) -> Option<&'b [u8]> {
    let start = decoder.position();
    decoder.skip().ok()?;
    decoder.input().get(start..decoder.position())
}

pub(crate) fn bytes(value: &[u8]) -> Result<&[u8], StatusCode> {
    Decoder::new(value).bytes().map_err(|_| StatusCode::CBOR_UNEXPECTED_TYPE)
}

pub(crate) fn text(value: &[u8]) -> Result<&str, StatusCode> {
    Decoder::new(value).str().map_err(|_| StatusCode::CBOR_UNEXPECTED_TYPE)
}

pub(crate) fn flag(value: &[u8]) -> Result<bool, StatusCode> {
    Decoder::new(value).bool().map_err(|_| StatusCode::CBOR_UNEXPECTED_TYPE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_are_found_and_changed() {
        let mut members = Members::read(&hex::decode("a301020341086161f5").unwrap()).unwrap();
        assert_eq!(members.number(1), Some([2].as_slice()));
        assert_eq!(members.name("a"), Some([0xf5].as_slice()));
        assert_eq!(members.number(2), None);
        members.set(2, Some(vec![0xf4]));
        members.set(3, None);
        assert_eq!(hex::encode(members.encode()), "a3010202f46161f5");
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert_eq!(Members::read(&[0x80]).err(), Some(StatusCode::CBOR_UNEXPECTED_TYPE));
        assert_eq!(Members::read(&[]).err(), Some(StatusCode::INVALID_CBOR));
        assert_eq!(Members::read(&[0xa0, 0]).err(), Some(StatusCode::INVALID_CBOR));
        assert_eq!(Members::read(&hex::decode("a201000100").unwrap()).err(), Some(StatusCode::INVALID_CBOR));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(cbor in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(members) = Members::read(&cbor) {
                prop_assert_eq!(members.encode(), canonicalize(&cbor).unwrap());
            }
        }
    }
}
