//! The decimal encoding of a QR code's bytes (CTAP 2.2 section 11.5.1).
//!
//! Bytes are read in chunks of seven as little-endian integers and printed with a fixed number of digits, because a
//! QR code stores digits in ten bits a triple.

use thiserror::Error;

/// Digits of a chunk of so many bytes, by index.
const WIDTHS: [usize; 8] = [0, 3, 5, 8, 10, 13, 15, 17];
const CHUNK_BYTES: usize = 7;
const CHUNK_DIGITS: usize = 17;
/// The most digits that any QR code holds (version 40, error correction level L).
pub const MAX_DIGITS: usize = 7089;

/// Why digits were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DigitsError {
    /// A character other than ASCII `0` to `9`.
    #[error("a character that is not a digit at position {0}")]
    NotADigit(usize),
    /// More digits than a QR code can hold, or a number of digits that no number of bytes encodes to.
    #[error("{0} digits do not stand for whole bytes")]
    Length(usize),
    /// A chunk's value is larger than its bytes can hold.
    #[error("the digits at position {0} are out of range")]
    Range(usize),
}

/// Encodes bytes as digits: 17 for every 7 bytes, fewer for the rest.
pub fn encode(bytes: &[u8]) -> String {
    bytes.chunks(CHUNK_BYTES).map(encode_chunk).collect()
}

fn encode_chunk(chunk: &[u8]) -> String {
    let value = chunk.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let width = WIDTHS.get(chunk.len()).copied().unwrap_or(CHUNK_DIGITS);
    format!("{value:0width$}")
}

/// Decodes digits. Every accepted string is the encoding of exactly one byte string.
///
/// # Errors
/// [`DigitsError`]: first all characters are checked, then chunk by chunk its length and its range.
pub fn decode(digits: &str) -> Result<Vec<u8>, DigitsError> {
    if let Some(position) = digits.bytes().position(|byte| !byte.is_ascii_digit()) {
        return Err(DigitsError::NotADigit(position));
    }
    if digits.len() > MAX_DIGITS {
        return Err(DigitsError::Length(digits.len()));
    }
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for (index, chunk) in digits.as_bytes().chunks(CHUNK_DIGITS).enumerate() {
        let length =
            WIDTHS.iter().position(|width| *width == chunk.len()).ok_or(DigitsError::Length(digits.len()))?;
        let value = chunk.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        let encoded = value.to_le_bytes();
        let (kept, rest) = encoded.split_at_checked(length).unwrap_or((&encoded, &[]));
        if rest.iter().any(|byte| *byte != 0) {
            return Err(DigitsError::Range(index.saturating_mul(CHUNK_DIGITS)));
        }
        bytes.extend_from_slice(kept);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_examples() {
        assert_eq!(encode(b"\x61\x62\xff"), "16736865");
        assert_eq!(encode(b"hello world"), "335311851610699281684828783");
        assert_eq!(encode(b""), "");
    }

    #[test]
    fn each_stage_has_its_error() {
        assert_eq!(decode("12a"), Err(DigitsError::NotADigit(2)));
        assert_eq!(decode("+12"), Err(DigitsError::NotADigit(0)));
        assert_eq!(decode("1234"), Err(DigitsError::Length(4)));
        assert_eq!(decode("256"), Err(DigitsError::Range(0)));
        assert_eq!(decode(&"0".repeat(MAX_DIGITS + 17)), Err(DigitsError::Length(MAX_DIGITS + 17)));
    }

    proptest! {
        #[test]
        fn bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn accepted_digits_survive(digits in "[0-9]{0,60}") {
            if let Ok(bytes) = decode(&digits) {
                prop_assert_eq!(encode(&bytes), digits);
            }
        }

        #[test]
        fn any_text_gives_an_answer(text in ".{0,60}") {
            let _ = decode(&text);
        }
    }
}
