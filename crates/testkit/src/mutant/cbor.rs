//! CBOR maps, canonical or with one flaw.

use ciborium::Value;
use hybridge_proto::cbor::canonicalize;

use super::rule::CborFlaw;

/// A text key or value.
pub(super) fn text(text: &str) -> Value {
    Value::from(text)
}

/// A byte string.
pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Value {
    Value::Bytes(bytes.into())
}

/// A map in any order.
pub(super) fn map<K: Into<Value>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

/// What a map has under a key.
pub(super) fn member(map: &Value, key: impl Into<Value>) -> Option<&Value> {
    let key = key.into();
    map.as_map()?.iter().find_map(|(found, value)| (*found == key).then_some(value))
}

/// The canonical encoding. Whatever has none becomes nothing.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    canonicalize(&written(value)).unwrap_or_default()
}

/// The encoding of a map of up to 23 entries with this flaw, if any.
pub(super) fn encode_with(value: &Value, flaw: Option<CborFlaw>) -> Vec<u8> {
    let canonical = encode(value);
    let Some((&head, entries)) = canonical.split_first() else { return canonical };
    let count = head & 0x1f;
    match flaw {
        None => canonical,
        Some(CborFlaw::Trailing) => [canonical.as_slice(), &[0xf6]].concat(),
        Some(CborFlaw::LongForm) => [&[0xb8, count], entries].concat(),
        Some(CborFlaw::Indefinite) => [&[0xbf], entries, &[0xff]].concat(),
        Some(CborFlaw::Unsorted) => descending(&canonical).unwrap_or(canonical),
    }
}

fn descending(canonical: &[u8]) -> Option<Vec<u8>> {
    let mut entries = ciborium::from_reader::<Value, _>(canonical).ok()?.into_map().ok()?;
    entries.reverse();
    Some(written(&Value::Map(entries)))
}

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory does not fail; nothing at all would be noticed as quickly as a part.
    ciborium::into_writer(value, &mut out).unwrap_or_default();
    out
}

#[cfg(test)]
mod tests {
    use hybridge_proto::cbor::{CborProblem, check_canonical};

    use super::*;

    #[test]
    fn each_flaw_is_the_one_it_is_called() {
        let value = map([(3, text("c")), (1, text("a"))]);
        assert_eq!(check_canonical(&encode_with(&value, None)), Ok(()));
        for (flaw, problem) in CborFlaw::ALL.into_iter().zip([
            CborProblem::KeyOrder,
            CborProblem::NotShortest,
            CborProblem::Indefinite,
            CborProblem::TrailingBytes,
        ]) {
            let found = check_canonical(&encode_with(&value, Some(flaw))).unwrap_err().problem;
            assert_eq!(found, problem, "{flaw:?}");
        }
    }

    #[test]
    fn a_flaw_changes_the_form_alone() {
        let value = map([(1, text("a")), (3, map([("x", bytes([1]))]))]);
        for flaw in [CborFlaw::Unsorted, CborFlaw::LongForm, CborFlaw::Indefinite] {
            assert_eq!(canonicalize(&encode_with(&value, Some(flaw))).unwrap(), encode(&value), "{flaw:?}");
        }
    }
}
