//! Puts well-formed CBOR into CTAP2 canonical form.

use super::{
    CborError, CborProblem,
    check::compare_keys,
    tree::{Parser, Tree},
};

/// Rewrites one item in CTAP2 canonical form; nothing but form and order changes.
///
/// An authenticator needs this when the library that encodes its replies does not sort map keys.
///
/// # Errors
/// [`CborError`] when the input is not well-formed, has bytes behind the item, a duplicate map key, a tag or a
/// float, or is nested deeper than [`super::MAX_DEPTH`].
pub fn canonicalize(bytes: &[u8]) -> Result<Vec<u8>, CborError> {
    let tree = Parser::new(bytes).whole()?;
    let mut out = Vec::with_capacity(bytes.len());
    write(&tree, &mut out)?;
    Ok(out)
}

fn write(tree: &Tree<'_>, out: &mut Vec<u8>) -> Result<(), CborError> {
    match tree {
        Tree::Scalar(major, argument) => write_head(*major, *argument, out),
        Tree::String(major, chunks) => {
            write_head(*major, length(chunks.iter().map(|chunk| chunk.len()).sum()), out);
            chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
        }
        Tree::Array(items) => {
            write_head(4, length(items.len()), out);
            items.iter().try_for_each(|item| write(item, out))?;
        }
        Tree::Map(pairs) => write_map(pairs, out)?,
    }
    Ok(())
}

fn write_map(pairs: &[(Tree<'_>, Tree<'_>)], out: &mut Vec<u8>) -> Result<(), CborError> {
    let mut encoded = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let mut key_bytes = Vec::new();
        write(key, &mut key_bytes)?;
        encoded.push((key_bytes, value));
    }
    encoded.sort_by(|(a, _), (b, _)| compare_keys(a, b));
    if encoded.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(CborError::new(out.len(), CborProblem::DuplicateKey));
    }
    write_head(5, length(encoded.len()), out);
    for (key, value) in encoded {
        out.extend_from_slice(&key);
        write(value, out)?;
    }
    Ok(())
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn write_head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let [_, _, _, _, c, d, e, f] = argument.to_be_bytes();
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | f),
        24..=0xff => out.extend_from_slice(&[major | 24, f]),
        0x100..=0xffff => out.extend_from_slice(&[major | 25, e, f]),
        0x1_0000..=0xffff_ffff => out.extend_from_slice(&[major | 26, c, d, e, f]),
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cbor::check_canonical;

    fn canonical(hex: &str) -> String {
        hex::encode(canonicalize(&hex::decode(hex).unwrap()).unwrap())
    }

    #[test]
    fn sorts_shortens_and_joins() {
        assert_eq!(canonical("a26174010102"), "a20102617401");
        assert_eq!(canonical("190001"), "01");
        assert_eq!(canonical("5f4101420203ff"), "43010203");
        assert_eq!(canonical("bf019f02ffff"), "a1018102");
        assert_eq!(canonical("a220001a0000001800"), "a21818002000");
    }

    #[test]
    fn refuses_duplicates_in_any_form() {
        let error = canonicalize(&hex::decode("a20100180100").unwrap()).unwrap_err();
        assert_eq!(error.problem, CborProblem::DuplicateKey);
    }

    proptest! {
        #[test]
        fn output_is_canonical_and_stable(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(out) = canonicalize(&bytes) {
                prop_assert_eq!(check_canonical(&out), Ok(()));
                prop_assert_eq!(canonicalize(&out).unwrap(), out);
            }
        }

        #[test]
        fn canonical_input_is_unchanged(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if check_canonical(&bytes).is_ok() {
                prop_assert_eq!(canonicalize(&bytes).unwrap(), bytes);
            }
        }
    }
}
