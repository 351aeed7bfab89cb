//! Lines of another program. A line may be a code, which is a secret, so what they are kept in is wiped.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::{Zeroize, Zeroizing};

/// A line with its end.
pub(crate) type Line = Zeroizing<Vec<u8>>;

/// Bytes of the longest line; longer ones are passed over.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// Reads lines. Nothing else holds what was read.
pub(crate) struct Lines<R> {
    from: R,
    /// Of a fixed size, as a buffer that grows leaves copies behind.
    buffer: Zeroizing<Vec<u8>>,
    /// How much of it is filled.
    filled: usize,
    /// Whether what comes belongs to a line that is too long.
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, buffer: Zeroizing::new(vec![0; MAX_LINE]), filled: 0, skipping: false }
    }

    /// The next line; `None` at the end. A last line without an end is none.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let end = self
                .buffer
                .get(..self.filled)
                .and_then(|filled| filled.iter().position(|byte| *byte == b'\n'));
            if let Some(end) = end {
                let line = self.take(end.saturating_add(1));
                if !std::mem::take(&mut self.skipping) {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.filled == self.buffer.len() {
                self.take(self.filled);
                self.skipping = true;
            }
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.from.read(room).await? {
                0 => return Ok(None),
                read => self.filled = self.filled.saturating_add(read),
            }
        }
    }

    /// Takes so many bytes out of the buffer.
    fn take(&mut self, length: usize) -> Line {
        let line = Zeroizing::new(self.buffer.get(..length).unwrap_or_default().to_vec());
        self.buffer.copy_within(length..self.filled, 0);
        let left = self.filled.saturating_sub(length);
        self.buffer.get_mut(left..self.filled).unwrap_or_default().zeroize();
        self.filled = left;
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::{io::AsyncWriteExt, runtime};

    use super::*;

    /// What is read of pieces that come one after the other.
    fn read(pieces: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let (mut to, from) = tokio::io::duplex(1024);
            let writing = tokio::spawn(async move {
                for piece in pieces {
                    to.write_all(&piece).await.unwrap();
                }
            });
            let (mut lines, mut read) = (Lines::new(from), Vec::new());
            while let Some(line) = lines.next().await.unwrap() {
                read.push(line.to_vec());
            }
            assert!(lines.buffer.iter().skip(lines.filled).all(|byte| *byte == 0), "what was read is wiped");
            writing.await.unwrap();
            read
        })
    }

    #[test]
    fn lines_too_long_are_passed_over() {
        let long = |length| [vec![b'x'; length], b"\n".to_vec()].concat();
        let pieces =
            vec![b"a\n\nb".to_vec(), long(5), long(MAX_LINE), long(3 * MAX_LINE), b"c\nno end".to_vec()];
        assert_eq!(read(pieces), [&b"a\n"[..], b"\n", b"bxxxxx\n", b"c\n"]);
        assert_eq!(read(vec![long(MAX_LINE - 1)]), [long(MAX_LINE - 1)], "the longest");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn however_lines_come_they_are_the_same(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300),
            cuts in prop::collection::vec(1_usize..20, 1..20),
        ) {
            let mut pieces = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece.to_vec());
                rest = after;
            }
            let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).collect();
            prop_assert_eq!(read(pieces), lines);
        }
    }
}
