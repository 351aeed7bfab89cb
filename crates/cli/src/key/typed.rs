//! The lines that a person types, or that a program sends in the person's place.

use std::{
    future::{Future, pending},
    io::{self, BufRead},
    thread,
};

use tokio::sync::{mpsc, oneshot};

/// Lines, and the number of the question that they are about.
pub(crate) struct Typed {
    lines: mpsc::Receiver<String>,
    question: u64,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// An answer, and to which question if it says so.
    Answer { answer: Answer, to: Option<u64> },
    /// Bluetooth is to be switched on.
    BluetoothOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    /// Anything but a yes.
    No,
}

impl Typed {
    pub(crate) const fn new(lines: mpsc::Receiver<String>) -> Self {
        Self { lines, question: 0 }
    }

    /// The lines of standard input, and a future that waits for their end. They come from a thread that lives as long as
    /// the program.
    pub(crate) fn from_standard_input() -> (Self, impl Future<Output = ()>) {
        let (tell, lines) = mpsc::channel(1);
        let (end, ended) = oneshot::channel::<()>();
        thread::spawn(move || {
            // Dropped at the end.
            let _end = end;
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if tell.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        (Self::new(lines), async { drop(ended.await) })
    }

    /// A number that no question had before while this program runs.
    pub(crate) const fn next_question(&mut self) -> u64 {
        self.question = self.question.wrapping_add(1);
        self.question
    }

    /// The latest question.
    pub(crate) const fn question(&self) -> u64 {
        self.question
    }

    /// Waits for the next line. Without anybody who types, what is open stays so until the program gives up.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Line {
        match self.lines.recv().await {
            Some(line) => Line::read(&line),
            None => pending().await,
        }
    }
}

impl Line {
    fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let word = words.next();
        if word == Some("bluetooth-on") {
            return Self::BluetoothOn;
        }
        let number = words.next().map(str::parse);
        let answer = match (word, &number) {
            (Some("y" | "Y" | "yes"), None | Some(Ok(_))) => Answer::Yes,
            _ => Answer::No,
        };
        Self::Answer { answer, to: number.and_then(Result::ok) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        for (line, answer, to) in [
            ("", Answer::No, None),
            ("y", Answer::Yes, None),
            ("  Y \r", Answer::Yes, None),
            ("yes 7", Answer::Yes, Some(7)),
            ("n 8", Answer::No, Some(8)),
            ("y soon", Answer::No, None),
            ("yesterday", Answer::No, None),
        ] {
            assert_eq!(Line::read(line), Line::Answer { answer, to }, "{line:?}");
        }
        assert_eq!(Line::read("bluetooth-on"), Line::BluetoothOn);
    }
}
