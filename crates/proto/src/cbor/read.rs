//! Reading the protocol's own maps, after [`super::check_map`] has accepted them.

use minicbor::{Decoder, data::Type};

/// A map key: the protocol defines unsigned integers only and ignores all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    Uint(u64),
    Other,
}

/// The pairs of a checked map, each value as a decoder over its own bytes.
pub(crate) struct Entries<'b> {
    decoder: Decoder<'b>,
    left: u64,
}

impl<'b> Entries<'b> {
    /// Starts reading. Input that is not a map, which the check excludes, reads as an empty one.
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        let mut decoder = Decoder::new(bytes);
        let left = decoder.map().ok().flatten().unwrap_or_default();
        Self { decoder, left }
    }

    fn pair(&mut self) -> Result<(Key, Value<'b>), minicbor::decode::Error> {
        let key = match self.decoder.datatype()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => Key::Uint(self.decoder.u64()?),
            _ => {
                self.decoder.skip()?;
                Key::Other
            }
        };
        let start = self.decoder.position();
        self.decoder.skip()?;
        let value = self.decoder.input().get(start..self.decoder.position()).unwrap_or_default();
        Ok((key, Value(value)))
    }
}

impl<'b> Iterator for Entries<'b> {
    type Item = (Key, Value<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.pair().ok()
    }
}

/// The encoded value of a pair. Each accessor answers `None` when the value is of another type.
#[derive(Clone, Copy)]
pub(crate) struct Value<'b>(&'b [u8]);

impl<'b> Value<'b> {
    pub(crate) fn as_encoded(self) -> &'b [u8] {
        self.0
    }

    pub(crate) fn bytes(self) -> Option<&'b [u8]> {
        Decoder::new(self.0).bytes().ok()
    }

    pub(crate) fn text(self) -> Option<&'b str> {
        Decoder::new(self.0).str().ok()
    }

    pub(crate) fn uint(self) -> Option<u64> {
        Decoder::new(self.0).u64().ok()
    }

    pub(crate) fn bool(self) -> Option<bool> {
        Decoder::new(self.0).bool().ok()
    }

    pub(crate) fn is_map(self) -> bool {
        Decoder::new(self.0).datatype().is_ok_and(|kind| kind == Type::Map)
    }

    /// The elements of an array.
    pub(crate) fn array(self) -> Option<Vec<Value<'b>>> {
        let mut decoder = Decoder::new(self.0);
        let length = decoder.array().ok()??;
        let mut items = Vec::new();
        for _ in 0..length {
            let start = decoder.position();
            decoder.skip().ok()?;
            items.push(Value(self.0.get(start..decoder.position())?));
        }
        Some(items)
    }
}
