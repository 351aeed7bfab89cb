//! The lines that a person types, or that a program sends in the person's place.

use std::{
    future::{Future, pending},
    io, thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::ceremony::lines::next_line;

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
            let mut stdin = io::stdin().lock();
            while let Ok(Some(line)) = next_line(&mut stdin) {
                // What is no text is no answer, and not the end.
                if tell.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() {
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

    /// Takes the lines of this time: they are about nothing.
    pub(crate) async fn drop_for(&mut self, time: Duration) {
        // The time always runs out.
        let _ = timeout(time, async {
            loop {
                self.next().await;
            }
        })
        .await;
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
    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn what_is_typed_into_a_pause_is_taken_and_dropped() {
        let (type_line, lines) = mpsc::channel(1);
        let mut typed = Typed::new(lines);
        let typing = tokio::spawn(async move {
            for line in ["y", "bluetooth-on", "n 1"] {
                type_line.send(line.to_owned()).await.unwrap();
            }
            type_line
        });
        // Whoever types is not held up.
        let (_, type_line) = tokio::join!(typed.drop_for(Duration::from_millis(300)), typing);
        let type_line = type_line.unwrap();
        type_line.send("y 2".to_owned()).await.unwrap();
        assert_eq!(typed.next().await, Line::Answer { answer: Answer::Yes, to: Some(2) });
        drop(type_line);
        let (begun, pause) = (Instant::now(), Duration::from_millis(30));
        typed.drop_for(pause).await;
        assert!(begun.elapsed() >= pause, "nobody types any more");
    }

    proptest! {
        #[test]
        fn only_a_yes_is_one(line in "[yYn]?(yes|bluetooth-on)?[ \t\r]?([0-9]{0,25}|\\PC{0,9})[ \r]?") {
            let words: Vec<_> = line.split_whitespace().collect();
            let number = words.get(1).and_then(|number| number.parse::<u64>().ok());
            let yes = matches!(words.first(), Some(&("y" | "Y" | "yes")));
            match Line::read(&line) {
                Line::BluetoothOn => prop_assert_eq!(words.first(), Some(&"bluetooth-on")),
                Line::Answer { answer, to } => {
                    prop_assert_eq!(to, number);
                    prop_assert_eq!(answer == Answer::Yes, yes && (words.len() < 2 || number.is_some()));
                }
            }
        }
    }

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
