//! Questions to the person at the terminal.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use async_trait::async_trait;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr},
};
use tokio::io::{Interest, unix::AsyncFd};
use zeroize::Zeroizing;

/// The longest answer in bytes, which is that of a terminal's line.
const MAX_ANSWER: usize = 4096;

/// Whether an answer is seen while it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It is.
    On,
    /// It is not: it is a passphrase.
    Off,
}

/// Somebody who can be asked.
#[async_trait]
pub trait Console: Send + Sync {
    /// Asks, and gives the answer without the end of its line; nothing if whoever is asked has left or ended the
    /// input.
    ///
    /// # Errors
    /// When the question or the answer does not get through.
    ///
    /// # Cancel safety
    /// Dropping the future takes the question back: what is typed then answers the next one no more, and is seen
    /// again.
    async fn ask(&self, question: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>>;
}

/// The terminal that the program was started from, whatever its standard input and output are.
///
/// The file is read without blocking a thread, so that a question ends at once when the computer leaves or the person
/// presses Ctrl-C.
pub struct Terminal {
    file: AsyncFd<OwnedFd>,
}

impl Terminal {
    /// Opens it. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the program was not started from a terminal.
    pub fn open() -> io::Result<Self> {
        Self::at("/dev/tty")
    }

    fn at(path: &str) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for owners that change their descriptor; this one does not"
        )]
        let file = AsyncFd::new(file)?;
        Ok(Self { file })
    }

    async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let write = |file: &OwnedFd| Ok(rustix::io::write(file, bytes)?);
            let written = self.file.async_io(Interest::WRITABLE, write).await?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// One line as the terminal hands it over when the return key is pressed.
    async fn read_line(&self) -> io::Result<Line> {
        let mut buffer = Zeroizing::new([0; MAX_ANSWER]);
        let read = self.file.async_io(Interest::READABLE, |file| {
            match rustix::io::read(file, &mut *buffer) {
                // The terminal is gone.
                Err(Errno::IO) => Ok(0),
                read => Ok(read?),
            }
        });
        let length = read.await?;
        let line = buffer.get(..length).unwrap_or_default();
        if line.is_empty() {
            return Ok(Line::End);
        }
        Ok(str::from_utf8(line).map_or(Line::NotText, |text| {
            Line::Text(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
        }))
    }
}

/// What comes when the return key is pressed.
enum Line {
    Text(Zeroizing<String>),
    NotText,
    End,
}

#[async_trait]
impl Console for Terminal {
    async fn ask(&self, question: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        // What was typed before the question was not meant for it.
        tcflush(self.file.get_ref(), QueueSelector::IFlush)?;
        let _hidden = match echo {
            Echo::On => None,
            Echo::Off => Some(Hidden::start(self.file.get_ref().as_fd())?),
        };
        self.write(question.as_bytes()).await?;
        loop {
            match self.read_line().await? {
                Line::Text(text) => return Ok(Some(text)),
                Line::End => return Ok(None),
                Line::NotText => self.write(b"That is not text in UTF-8. Again: ").await?,
            }
        }
    }
}

/// Keeps the terminal from showing what is typed until it is dropped.
struct Hidden<'a> {
    file: BorrowedFd<'a>,
    former: Termios,
}

impl<'a> Hidden<'a> {
    fn start(file: BorrowedFd<'a>) -> io::Result<Self> {
        let former = tcgetattr(file)?;
        let mut hidden = former.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown, so that the next output begins on a line of its own.
        hidden.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        tcsetattr(file, OptionalActions::Now, &hidden)?;
        Ok(Self { file, former })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // With what was typed in secret and not read.
        let _ = tcsetattr(self.file, OptionalActions::Flush, &self.former);
    }
}

#[cfg(test)]
mod tests;
