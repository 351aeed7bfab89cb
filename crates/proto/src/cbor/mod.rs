//! CTAP2 canonical CBOR: a strict checker, a canonicaliser, and the readers of this crate's own maps.
//!
//! Canonical means (CTAP 2.1 section 8): definite lengths, shortest integer and length forms, map keys sorted by
//! major type, then encoded length, then bytes, no duplicate keys, no tags, no floats, valid UTF-8, nothing behind
//! the item. Chromium refuses anything else from a phone, so everything this project sends is checked against
//! this. Bytes that a phone sends as a CTAP reply pass through untouched.

mod canonical;
mod check;
mod read;
mod tree;

use thiserror::Error;

pub use self::{canonical::canonicalize, check::check_canonical};
pub(crate) use self::{
    check::check_map,
    read::{Entries, Key, Value},
};

/// The deepest nesting of arrays and maps that is accepted.
pub const MAX_DEPTH: usize = 8;

/// Why bytes are not acceptable CBOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{problem} at byte {offset}")]
#[non_exhaustive]
pub struct CborError {
    /// Where the offending item starts, counted in bytes from the start of the input.
    pub offset: usize,
    /// What is wrong there.
    pub problem: CborProblem,
}

/// The rule that CBOR input broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CborProblem {
    /// The input ends inside an item.
    #[error("the data ends in the middle of an item")]
    Truncated,
    /// There are bytes behind the item.
    #[error("there are bytes behind the item")]
    TrailingBytes,
    /// A length or integer is not in its shortest form.
    #[error("a number is not in its shortest form")]
    NotShortest,
    /// An item has an indefinite length.
    #[error("an item of indefinite length")]
    Indefinite,
    /// A map's keys are not in canonical order.
    #[error("map keys out of order")]
    KeyOrder,
    /// A map has the same key twice.
    #[error("a map key stands twice")]
    DuplicateKey,
    /// Arrays and maps are nested deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
    /// A text string is not UTF-8.
    #[error("a text string that is not UTF-8")]
    InvalidUtf8,
    /// A tag, a float, or a simple value other than false, true, null and undefined.
    #[error("a kind of value that CTAP2 does not use")]
    Unsupported,
    /// A reserved initial byte, or a break outside an indefinite item.
    #[error("a malformed item")]
    Malformed,
    /// The item is not a map where one belongs.
    #[error("not a map")]
    NotAMap,
}

impl CborError {
    pub(crate) const fn new(offset: usize, problem: CborProblem) -> Self {
        Self { offset, problem }
    }
}
