//! The strict checker: one pass over the bytes, no allocation, bounded recursion.

use core::cmp::Ordering;

use super::{CborError, CborProblem, MAX_DEPTH};

/// Checks that `bytes` are exactly one item in CTAP2 canonical form.
///
/// # Errors
/// [`CborError`] with the first rule that is broken and where.
pub fn check_canonical(bytes: &[u8]) -> Result<(), CborError> {
    let mut scanner = Scanner { bytes, offset: 0 };
    scanner.item(0)?;
    scanner.finish()
}

/// Like [`check_canonical`], and the item must be a map.
pub(crate) fn check_map(bytes: &[u8]) -> Result<(), CborError> {
    check_canonical(bytes)?;
    match bytes.first() {
        Some(initial) if initial >> 5 == MAP => Ok(()),
        _ => Err(CborError::new(0, CborProblem::NotAMap)),
    }
}

const TEXT: u8 = 3;
const MAP: u8 = 5;

struct Scanner<'b> {
    bytes: &'b [u8],
    offset: usize,
}

/// An initial byte and its argument.
pub(super) struct Head {
    pub(super) major: u8,
    pub(super) argument: u64,
}

impl<'b> Scanner<'b> {
    fn finish(&self) -> Result<(), CborError> {
        if self.offset == self.bytes.len() { Ok(()) } else { Err(self.error(CborProblem::TrailingBytes)) }
    }

    fn error(&self, problem: CborProblem) -> CborError {
        CborError::new(self.offset, problem)
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], CborError> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.offset.checked_add(length))
            .and_then(|end| self.bytes.get(self.offset..end))
            .ok_or_else(|| self.error(CborProblem::Truncated))?;
        self.offset = self.offset.saturating_add(taken.len());
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, CborError> {
        let start = self.offset;
        let fail = |problem| CborError::new(start, problem);
        let initial = self.take(1)?.first().copied().unwrap_or_default();
        let (major, info) = (initial >> 5, initial & 31);
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let argument =
                    self.take(1 << (info - 24))?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                if major != 7 && argument < least_argument(info) {
                    return Err(fail(CborProblem::NotShortest));
                }
                argument
            }
            31 => return Err(fail(CborProblem::Indefinite)),
            _ => return Err(fail(CborProblem::Malformed)),
        };
        if major == 6 || (major == 7 && !(20..=23).contains(&info)) {
            return Err(fail(CborProblem::Unsupported));
        }
        Ok(Head { major, argument })
    }

    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        let start = self.offset;
        let head = self.head()?;
        if matches!(head.major, 4 | 5) && depth >= MAX_DEPTH {
            return Err(CborError::new(start, CborProblem::TooDeep));
        }
        match head.major {
            2 => self.take(head.argument).map(drop),
            TEXT => {
                let text = self.take(head.argument)?;
                core::str::from_utf8(text)
                    .map(drop)
                    .map_err(|_| CborError::new(start, CborProblem::InvalidUtf8))
            }
            4 => (0..head.argument).try_for_each(|_| self.item(depth.saturating_add(1))),
            MAP => self.map(head.argument, depth.saturating_add(1)),
            _ => Ok(()),
        }
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), CborError> {
        let mut previous: Option<&'b [u8]> = None;
        for _ in 0..pairs {
            let start = self.offset;
            self.item(depth)?;
            let key = self.bytes.get(start..self.offset).unwrap_or_default();
            match previous.map(|previous| compare_keys(previous, key)) {
                Some(Ordering::Greater) => return Err(CborError::new(start, CborProblem::KeyOrder)),
                Some(Ordering::Equal) => return Err(CborError::new(start, CborProblem::DuplicateKey)),
                _ => previous = Some(key),
            }
            self.item(depth)?;
        }
        Ok(())
    }
}

/// The smallest argument that may use additional information 24 to 27.
fn least_argument(info: u8) -> u64 {
    match info {
        24 => 24,
        25 => 1 << 8,
        26 => 1 << 16,
        _ => 1 << 32,
    }
}

/// CTAP2's order of encoded map keys: major type, then length, then bytes.
pub(super) fn compare_keys(a: &[u8], b: &[u8]) -> Ordering {
    let major = |key: &[u8]| key.first().map(|initial| initial >> 5);
    major(a).cmp(&major(b)).then(a.len().cmp(&b.len())).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(hex: &str) -> CborProblem {
        check_canonical(&hex::decode(hex).unwrap()).unwrap_err().problem
    }

    #[test]
    fn canonical_items_pass() {
        for good in [
            "00",
            "1818",
            "20",
            "40",
            "6161",
            "80",
            "a0",
            "f5",
            "a2016161206162",
            "a3010203041818f6",
            "a20100613000",
        ] {
            assert_eq!(check_canonical(&hex::decode(good).unwrap()), Ok(()), "{good}");
        }
    }

    #[test]
    fn each_rule_has_its_error() {
        assert_eq!(problem(""), CborProblem::Truncated);
        assert_eq!(problem("41"), CborProblem::Truncated);
        assert_eq!(problem("9bffffffffffffffff"), CborProblem::Truncated);
        assert_eq!(problem("0000"), CborProblem::TrailingBytes);
        assert_eq!(problem("190001"), CborProblem::NotShortest);
        assert_eq!(problem("1817"), CborProblem::NotShortest);
        assert_eq!(problem("5f40ff"), CborProblem::Indefinite);
        assert_eq!(problem("a202000100"), CborProblem::KeyOrder);
        assert_eq!(problem("a26130000100"), CborProblem::KeyOrder);
        assert_eq!(problem("a201000100"), CborProblem::DuplicateKey);
        assert_eq!(problem("818181818181818180"), CborProblem::TooDeep);
        assert_eq!(problem("62c328"), CborProblem::InvalidUtf8);
        assert_eq!(problem("c000"), CborProblem::Unsupported);
        assert_eq!(problem("f93c00"), CborProblem::Unsupported);
        assert_eq!(problem("1c"), CborProblem::Malformed);
        assert_eq!(check_map(&[0x80]).unwrap_err().problem, CborProblem::NotAMap);
    }

    #[test]
    fn keys_sort_by_major_type_then_length() {
        // 24 (two bytes) comes before -1 (one byte), since the major type decides first.
        assert_eq!(check_canonical(&hex::decode("a21818002000").unwrap()), Ok(()));
        assert_eq!(problem("a22000181800"), CborProblem::KeyOrder);
    }
}
