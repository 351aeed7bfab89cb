//! What the steps found, as lines or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::cause::Cause;

/// What a step found to be broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) cause: &'static Cause,
    pub(crate) found: String,
}

impl Finding {
    pub(crate) fn new(cause: &'static Cause, found: impl Into<String>) -> Self {
        Self { cause, found: found.into() }
    }
}

/// What a step found that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) text: String,
    /// Works, but is to be looked at.
    pub(crate) doubt: Option<&'static Cause>,
}

/// The result of a step.
pub(crate) type Stepped<T> = Result<Found<T>, Finding>;

/// A step that works.
pub(crate) fn fine<T>(value: T, text: impl Into<String>) -> Stepped<T> {
    Ok(Found { value, text: text.into(), doubt: None })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Ok,
    Note,
    Broken,
}

/// One step as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    step: &'static str,
    result: Mark,
    found: String,
    cause: Option<&'static str>,
    means: Option<&'static str>,
    fix: Option<&'static str>,
}

#[derive(Serialize)]
struct Document<'a> {
    url: &'a str,
    works: bool,
    steps: &'a [Line],
}

/// All steps so far. Lines are printed as they come, JSON at the end.
pub(crate) struct Report<'a, W> {
    url: &'a str,
    json: bool,
    out: W,
    lines: Vec<Line>,
    written: io::Result<()>,
}

impl<'a, W: Write> Report<'a, W> {
    pub(crate) const fn new(url: &'a str, json: bool, out: W) -> Self {
        Self { url, json, out, lines: Vec::new(), written: Ok(()) }
    }

    /// Notes a step, and gives its value where it works.
    pub(crate) fn note<T>(&mut self, step: &'static str, stepped: Stepped<T>) -> Option<T> {
        let (result, found, cause, value) = match stepped {
            Ok(Found { value, text, doubt: None }) => (Mark::Ok, text, None, Some(value)),
            Ok(Found { value, text, doubt }) => (Mark::Note, text, doubt, Some(value)),
            Err(Finding { cause, found }) => (Mark::Broken, found, Some(cause), None),
        };
        let line = Line {
            step,
            result,
            found,
            cause: cause.map(|cause| cause.name),
            means: cause.map(|cause| cause.means),
            fix: cause.map(|cause| cause.fix),
        };
        if !self.json && self.written.is_ok() {
            self.written = line.print(&mut self.out);
        }
        self.lines.push(line);
        value
    }

    /// Ends the report, and says whether the service works.
    pub(crate) fn finish(mut self) -> io::Result<bool> {
        self.written?;
        let works = self.lines.iter().all(|line| line.result != Mark::Broken);
        if self.json {
            let document = Document { url: self.url, works, steps: &self.lines };
            serde_json::to_writer_pretty(&mut self.out, &document)?;
            writeln!(self.out)?;
        } else if works {
            writeln!(self.out, "the service works")?;
        }
        Ok(works)
    }
}

impl Line {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mark = match self.result {
            Mark::Ok => "ok",
            Mark::Note => "note",
            Mark::Broken => "broken",
        };
        writeln!(out, "{mark:<7} {:<15} {}", self.step, self.found)?;
        if let (Some(cause), Some(means), Some(fix)) = (self.cause, self.means, self.fix) {
            writeln!(out, "        {cause}: {means}")?;
            writeln!(out, "        fix: {fix}")?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::cause::http::REDIRECT, *};

    #[test]
    fn lines_and_json_say_the_same() {
        for json in [false, true] {
            let mut out = Vec::new();
            let mut report = Report::new("https://a", json, &mut out);
            assert_eq!(report.note("tcp", fine(7, "connected")), Some(7));
            assert_eq!(report.note::<()>("open", Err(Finding::new(&REDIRECT, "status 301"))), None);
            assert!(!report.finish().unwrap());
            let text = String::from_utf8(out).unwrap();
            for part in ["tcp", "connected", "broken", "status 301", REDIRECT.name, REDIRECT.fix] {
                assert!(text.contains(part), "{part} is missing in {text}");
            }
        }
    }
}
