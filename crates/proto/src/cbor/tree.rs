//! A lenient parse of CBOR into a tree, for input that is to be put into canonical form.

use super::{CborError, CborProblem, MAX_DEPTH};

/// A well-formed item of the kinds that CTAP2 uses.
pub(super) enum Tree<'b> {
    /// Unsigned (0), negative (1) or simple (7): major type and argument.
    Scalar(u8, u64),
    /// Byte (2) or text (3) string: major type and the chunks, one if it has a definite length.
    String(u8, Vec<&'b [u8]>),
    Array(Vec<Tree<'b>>),
    Map(Vec<(Tree<'b>, Tree<'b>)>),
}

pub(super) struct Parser<'b> {
    bytes: &'b [u8],
    offset: usize,
}

const BREAK: u8 = 0xff;

impl<'b> Parser<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Parses one item that must fill the input.
    pub(super) fn whole(mut self) -> Result<Tree<'b>, CborError> {
        let tree = self.item(0)?;
        if self.offset == self.bytes.len() { Ok(tree) } else { Err(self.error(CborProblem::TrailingBytes)) }
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

    /// Major type and argument, `None` standing for an indefinite length.
    fn head(&mut self) -> Result<(u8, Option<u64>), CborError> {
        let fail = CborError::new(self.offset, CborProblem::Malformed);
        let initial = self.take(1)?.first().copied().unwrap_or_default();
        let (major, info) = (initial >> 5, initial & 31);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                Some(self.take(1 << (info - 24))?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            31 if (2..=5).contains(&major) => None,
            _ => return Err(fail),
        };
        if major == 6 || (major == 7 && !(20..=23).contains(&info)) {
            return Err(CborError { problem: CborProblem::Unsupported, ..fail });
        }
        Ok((major, argument))
    }

    /// Whether another element follows; eats the break of an indefinite item.
    fn another(&mut self, left: &mut Option<u64>) -> Result<bool, CborError> {
        match left {
            Some(0) => Ok(false),
            Some(count) => {
                *count = count.saturating_sub(1);
                Ok(true)
            }
            None if self.bytes.get(self.offset) == Some(&BREAK) => {
                self.take(1)?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    fn item(&mut self, depth: usize) -> Result<Tree<'b>, CborError> {
        let start = self.offset;
        let (major, argument) = self.head()?;
        if matches!(major, 4 | 5) && depth >= MAX_DEPTH {
            return Err(CborError::new(start, CborProblem::TooDeep));
        }
        match major {
            2 | 3 => self.string(major, argument),
            4 => self.array(argument, depth.saturating_add(1)),
            5 => self.map(argument, depth.saturating_add(1)),
            _ => Ok(Tree::Scalar(major, argument.unwrap_or_default())),
        }
    }

    fn string(&mut self, major: u8, length: Option<u64>) -> Result<Tree<'b>, CborError> {
        let start = self.offset;
        let mut chunks = Vec::new();
        if let Some(length) = length {
            chunks.push(self.take(length)?);
        } else {
            let mut left = None;
            while self.another(&mut left)? {
                let (inner, Some(length)) = self.head()? else {
                    return Err(self.error(CborProblem::Malformed));
                };
                if inner != major {
                    return Err(self.error(CborProblem::Malformed));
                }
                chunks.push(self.take(length)?);
            }
        }
        if major == 3 && chunks.iter().any(|chunk| core::str::from_utf8(chunk).is_err()) {
            return Err(CborError::new(start, CborProblem::InvalidUtf8));
        }
        Ok(Tree::String(major, chunks))
    }

    fn array(&mut self, mut left: Option<u64>, depth: usize) -> Result<Tree<'b>, CborError> {
        let mut items = Vec::new();
        while self.another(&mut left)? {
            items.push(self.item(depth)?);
        }
        Ok(Tree::Array(items))
    }

    fn map(&mut self, mut left: Option<u64>, depth: usize) -> Result<Tree<'b>, CborError> {
        let mut pairs = Vec::new();
        while self.another(&mut left)? {
            let key = self.item(depth)?;
            pairs.push((key, self.item(depth)?));
        }
        Ok(Tree::Map(pairs))
    }
}
