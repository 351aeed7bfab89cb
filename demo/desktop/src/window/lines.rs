//! Lines of a stream, bounded and wiped.

use std::io::{self, BufRead};

use zeroize::{Zeroize, Zeroizing};

use super::event::{Event, MAX_LINE};

/// Events of a stream of lines. What lines are read into is wiped, since some hold secrets.
pub struct Events<R> {
    stream: R,
    /// Does not grow, so nothing is left behind elsewhere.
    line: Zeroizing<Vec<u8>>,
}

impl<R: BufRead> Events<R> {
    /// Reads from this stream, whose own buffer should be one that is wiped or small.
    pub fn new(stream: R) -> Self {
        Self { stream, line: Zeroizing::new(Vec::with_capacity(MAX_LINE)) }
    }

    /// The next event; `None` at the end. Lines that hold none, or are too long, are passed over.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            let Some(whole) = self.read_line()? else { return Ok(None) };
            let event = if whole { Event::read(&self.line) } else { None };
            self.line.zeroize();
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Whether the line was short enough to be kept; `None` if there is none.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        let (mut whole, mut any) = (true, false);
        loop {
            let bytes = match self.stream.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                return Ok(any.then_some(whole));
            }
            any = true;
            let (part, ended) = match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => (bytes.split_at(end).0, true),
                None => (bytes, false),
            };
            whole &= part.len() <= MAX_LINE.saturating_sub(self.line.len());
            if whole {
                self.line.extend_from_slice(part);
            }
            let read = part.len().saturating_add(usize::from(ended));
            self.stream.consume(read);
            if ended {
                return Ok(Some(whole));
            }
        }
    }
}

/// Standard input as a stream that is wiped behind itself.
///
/// The standard library's own buffer would keep what it has read.
pub struct Wiped<R> {
    source: R,
    buffer: Zeroizing<Vec<u8>>,
    next: usize,
    end: usize,
}

impl<R: io::Read> Wiped<R> {
    /// Reads from this source, which should have no buffer.
    pub fn new(source: R) -> Self {
        Self { source, buffer: Zeroizing::new(vec![0; 4096]), next: 0, end: 0 }
    }
}

impl<R: io::Read> io::Read for Wiped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let read = bytes.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: io::Read> BufRead for Wiped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.next >= self.end {
            self.next = 0;
            self.end = 0;
            self.end = self.source.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.next..self.end).unwrap_or_default())
    }

    fn consume(&mut self, read: usize) {
        let to = self.next.saturating_add(read).min(self.end);
        if let Some(bytes) = self.buffer.get_mut(self.next..to) {
            bytes.zeroize();
        }
        self.next = to;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use proptest::prelude::*;

    use super::*;

    fn count(bytes: &[u8], buffer: usize) -> usize {
        let mut events = Events::new(BufReader::with_capacity(buffer, bytes));
        std::iter::from_fn(|| events.next().unwrap()).count()
    }

    #[test]
    fn long_lines_and_rubbish_are_passed_over() {
        let mut bytes = b"{\"event\":\"wink\"}\n\n\xff\n".to_vec();
        bytes.extend(std::iter::repeat_n(b' ', MAX_LINE + 1));
        bytes.extend(b"{\"event\":\"wink\"}\n{\"event\":\"gone\"}\r\n{\"event\":\"done\"}");
        assert_eq!(count(&bytes, 7), 3);
        assert_eq!(count(&bytes, 100_000), 3);
    }

    #[test]
    fn what_was_read_is_wiped() {
        let mut stream = Wiped::new(&b"secret\nmore"[..]);
        stream.fill_buf().unwrap();
        stream.consume(7);
        assert!(!stream.buffer.windows(6).any(|part| part == b"secret"));
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "more");
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(
            parts in proptest::collection::vec(prop_oneof![
                Just(&b"{\"event\":\"wink\"}"[..]), Just(&b"\n"[..]), Just(&b"{"[..]), Just(&b"\r\n"[..]),
            ], 0..40),
            buffer in 1..50_usize,
        ) {
            let bytes = parts.concat();
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| Event::read(line).is_some()).count();
            prop_assert_eq!(count(&bytes, buffer), lines);
        }
    }
}
