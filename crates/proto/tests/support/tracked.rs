//! JSON that remembers which of its values were looked at, so that no vector can be skipped unnoticed.
#![allow(dead_code, reason = "each test program uses a part")]

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::{self, Debug, Display},
    fs,
    path::Path,
};

use serde_json::Value;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// What went wrong, and where.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(place: impl Display, what: impl Display) -> Self {
        Self(format!("{place}: {what}"))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Texts for the reader; they stand beside values under these keys and have no meaning to a test.
const EXPLANATIONS: [&str; 4] = ["description", "note", "comment", "peer"];

/// One vector file.
pub(crate) struct Document {
    name: String,
    root: Value,
    visited: RefCell<BTreeSet<String>>,
    cases: RefCell<BTreeSet<String>>,
}

impl Document {
    pub(crate) fn read(folder: &Path, name: &str) -> Outcome<Self> {
        let text = fs::read_to_string(folder.join(name)).map_err(|error| Failure::new(name, error))?;
        let root = serde_json::from_str(&text).map_err(|error| Failure::new(name, error))?;
        Ok(Self { name: name.to_owned(), root, visited: RefCell::default(), cases: RefCell::default() })
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node { document: self, value: &self.root, path: String::new() }
    }

    /// How many different cases were run.
    pub(crate) fn cases(&self) -> usize {
        self.cases.borrow().len()
    }

    /// Fails if a value outside `exempt` (JSON pointers) was not looked at.
    pub(crate) fn all_visited(&self, exempt: &[&str]) -> Outcome {
        let mut missed = Vec::new();
        self.collect_missed(&self.root, String::new(), exempt, &mut missed);
        match missed.as_slice() {
            [] => Ok(()),
            [first, ..] => Err(Failure::new(
                format_args!("{}{first}", self.name),
                format_args!("not exercised, nor {} other values", missed.len() - 1),
            )),
        }
    }

    fn collect_missed(&self, value: &Value, path: String, exempt: &[&str], missed: &mut Vec<String>) {
        if exempt.contains(&path.as_str()) {
            return;
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    if !(member.is_string() && EXPLANATIONS.contains(&key.as_str())) {
                        self.collect_missed(member, format!("{path}/{key}"), exempt, missed);
                    }
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (index, element) in elements.iter().enumerate() {
                    self.collect_missed(element, format!("{path}/{index}"), exempt, missed);
                }
            }
            _ if self.visited.borrow().contains(&path) => {}
            _ => missed.push(path),
        }
    }
}

/// A value in a document. Methods that take a key look into an object.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    document: &'a Document,
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(crate) fn fail(&self, what: impl Display) -> Failure {
        let label = ["name", "label"].iter().find_map(|key| self.value.get(key)?.as_str());
        let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
        Failure::new(format_args!("{}{}{label}", self.document.name, self.path), what)
    }

    /// The member, `None` when it is missing or `null`.
    pub(crate) fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        let node = Self { document: self.document, value, path: format!("{}/{key}", self.path) };
        if value.is_null() {
            node.visit();
            return None;
        }
        Some(node)
    }

    pub(crate) fn get(&self, key: &str) -> Outcome<Self> {
        self.find(key).ok_or_else(|| self.fail(format_args!("{key} is missing")))
    }

    /// The members of an object.
    pub(crate) fn members(&self) -> Outcome<Vec<(&'a str, Self)>> {
        let members = self.value.as_object().ok_or_else(|| self.fail("not an object"))?;
        members.keys().map(|key| Ok((key.as_str(), self.get(key)?))).collect()
    }

    /// The elements of an array.
    pub(crate) fn elements(&self, key: &str) -> Outcome<Vec<Self>> {
        let node = self.get(key)?;
        let elements = node.value.as_array().ok_or_else(|| node.fail("not an array"))?;
        if elements.is_empty() {
            node.visit();
        }
        let at = |(index, value)| Self { value, path: format!("{}/{index}", node.path), ..node.clone() };
        Ok(elements.iter().enumerate().map(at).collect())
    }

    /// The elements of an array of test cases, of which there must be some. Counts them.
    pub(crate) fn cases(&self, key: &str) -> Outcome<Vec<Self>> {
        let cases = self.elements(key)?;
        if cases.is_empty() {
            return Err(self.fail(format_args!("{key} has no cases")));
        }
        Ok(cases.into_iter().map(Self::case).collect())
    }

    /// Counts the value as one test case and takes note of its label.
    pub(crate) fn case(self) -> Self {
        self.document.cases.borrow_mut().insert(self.path.clone());
        for key in ["name", "label"] {
            self.find(key).inspect(Self::visit);
        }
        self
    }

    pub(crate) fn visit(&self) {
        self.document.visited.borrow_mut().insert(self.path.clone());
    }

    pub(crate) fn as_text(&self) -> Outcome<&'a str> {
        self.visit();
        self.value.as_str().ok_or_else(|| self.fail("not a text"))
    }

    pub(crate) fn as_number(&self) -> Outcome<u64> {
        self.visit();
        self.value.as_u64().ok_or_else(|| self.fail("not a number"))
    }

    pub(crate) fn as_flag(&self) -> Outcome<bool> {
        self.visit();
        self.value.as_bool().ok_or_else(|| self.fail("not a boolean"))
    }

    /// Lower-case hex.
    pub(crate) fn as_bytes(&self) -> Outcome<Vec<u8>> {
        hex::decode(self.as_text()?).map_err(|error| self.fail(error))
    }

    pub(crate) fn text(&self, key: &str) -> Outcome<&'a str> {
        self.get(key)?.as_text()
    }

    pub(crate) fn number(&self, key: &str) -> Outcome<u64> {
        self.get(key)?.as_number()
    }

    pub(crate) fn flag(&self, key: &str) -> Outcome<bool> {
        self.get(key)?.as_flag()
    }

    pub(crate) fn bytes(&self, key: &str) -> Outcome<Vec<u8>> {
        self.get(key)?.as_bytes()
    }

    pub(crate) fn array<const N: usize>(&self, key: &str) -> Outcome<[u8; N]> {
        let bytes = self.bytes(key)?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| self.fail(format_args!("{key} has {length} bytes instead of {N}")))
    }

    /// Fails unless the hex under `key` stands for `actual`.
    pub(crate) fn expect_bytes(&self, key: &str, actual: impl AsRef<[u8]>) -> Outcome {
        self.same(key, &hex::encode(actual), &hex::encode(self.bytes(key)?))
    }

    pub(crate) fn expect_text(&self, key: &str, actual: &str) -> Outcome {
        self.same(key, actual, self.text(key)?)
    }

    pub(crate) fn expect_number(&self, key: &str, actual: impl TryInto<u64>) -> Outcome {
        self.same(key, &actual.try_into().ok(), &Some(self.number(key)?))
    }

    pub(crate) fn same<T: PartialEq + Debug + ?Sized>(&self, what: &str, actual: &T, right: &T) -> Outcome {
        if actual == right {
            return Ok(());
        }
        Err(self.fail(format_args!("{what} is {actual:?}, should be {right:?}")))
    }

    pub(crate) fn ensure(&self, what: &str, holds: bool) -> Outcome {
        if holds { Ok(()) } else { Err(self.fail(what)) }
    }

    /// Unwraps a result that must be a success.
    pub(crate) fn accepted<T, E: Debug>(&self, what: &str, result: Result<T, E>) -> Outcome<T> {
        result.map_err(|error| self.fail(format_args!("{what} is refused: {error:?}")))
    }

    /// Unwraps the error of a result that must not be a success.
    pub(crate) fn refused<T, E>(&self, what: &str, result: Result<T, E>) -> Outcome<E> {
        result.err().ok_or_else(|| self.fail(format_args!("{what} is accepted")))
    }
}
