//! Reading single members of checked CBOR maps, and leaving all the others as they are.

use minicbor::Decoder;

#[derive(Clone, Copy)]
pub(super) enum Key<'a> {
    Number(i64),
    Name(&'a str),
}

/// The encoded value behind a key of a map, byte for byte.
pub(super) fn member<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<&'b [u8]> {
    let mut decoder = Decoder::new(cbor);
    for _ in 0..decoder.map().ok()?? {
        let found = item(&mut decoder)?;
        let value = item(&mut decoder)?;
        let mut found = Decoder::new(found);
        let matches = match key {
            Key::Number(number) => found.i64().is_ok_and(|found| found == number),
            Key::Name(name) => found.str().is_ok_and(|found| found == name),
        };
        if matches {
            return Some(value);
        }
    }
    None
}

pub(super) fn bytes<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<&'b [u8]> {
    Decoder::new(member(cbor, key)?).bytes().ok()
}

pub(super) fn text<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<&'b str> {
    Decoder::new(member(cbor, key)?).str().ok()
}

pub(super) fn number(cbor: &[u8], key: Key<'_>) -> Option<i64> {
    Decoder::new(member(cbor, key)?).i64().ok()
}

pub(super) fn flag(cbor: &[u8], key: Key<'_>) -> Option<bool> {
    Decoder::new(member(cbor, key)?).bool().ok()
}

/// The texts of an array; other elements are skipped.
pub(super) fn texts<'b>(cbor: &'b [u8], key: Key<'_>) -> Option<Vec<&'b str>> {
    let mut decoder = Decoder::new(member(cbor, key)?);
    let mut texts = Vec::new();
    for _ in 0..decoder.array().ok()?? {
        texts.extend(Decoder::new(item(&mut decoder)?).str());
    }
    Some(texts)
}

pub(super) fn is_map(cbor: &[u8]) -> bool {
    Decoder::new(cbor).map().is_ok()
}

/// The first item of a text that may go on behind it.
pub(super) fn first(cbor: &[u8]) -> Option<&[u8]> {
    item(&mut Decoder::new(cbor))
}

/// The bytes of the next item.
fn item<'b>(decoder: &mut Decoder<'b>) -> Option<&'b [u8]> {
    let start = decoder.position();
    decoder.skip().ok()?;
    decoder.input().get(start..decoder.position())
}
