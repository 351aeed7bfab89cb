//! Lists of passkeys in requests: `allowList` and `excludeList`.

use std::fmt;

use minicbor::Decoder;

use super::{
    map::{self, Members},
    status::StatusCode,
};

/// One passkey that a request names. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) id: Vec<u8>,
    /// All of it, transports and unknown members included.
    encoded: Vec<u8>,
}

impl Descriptor {
    fn read(encoded: &[u8]) -> Result<Self, StatusCode> {
        let members = Members::read(encoded)?;
        let id = map::bytes(members.name("id").ok_or(StatusCode::MISSING_PARAMETER)?)?.to_vec();
        map::text(members.name("type").ok_or(StatusCode::MISSING_PARAMETER)?)?;
        Ok(Self { id, encoded: encoded.to_vec() })
    }

    /// The passkey as a reply names it: its ID and type.
    pub(crate) fn in_reply(&self) -> Vec<u8> {
        map::write(|map| map.map(2)?.str("id")?.bytes(&self.id)?.str("type")?.str("public-key").map(drop))
    }

    /// The bytes that it takes.
    pub(crate) const fn size(&self) -> usize {
        self.encoded.len()
    }
}

/// Reads a list. One that is missing is empty.
pub(crate) fn read(list: Option<&[u8]>) -> Result<Vec<Descriptor>, StatusCode> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut decoder = Decoder::new(list);
    let length = decoder.array().map_err(|_| StatusCode::CBOR_UNEXPECTED_TYPE)?.unwrap_or_default();
    let mut descriptors = Vec::new();
    for _ in 0..length {
        descriptors.push(Descriptor::read(map::item(&mut decoder).ok_or(StatusCode::INVALID_CBOR)?)?);
    }
    Ok(descriptors)
}

/// Writes a list; an empty one is left out.
pub(crate) fn write(list: &[Descriptor]) -> Option<Vec<u8>> {
    let length = u64::try_from(list.len()).ok().filter(|length| *length > 0)?;
    let mut encoded = map::write(|array| array.array(length).map(drop));
    list.iter().for_each(|descriptor| encoded.extend_from_slice(&descriptor.encoded));
    Some(encoded)
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptor({} bytes)", self.id.len())
    }
}
