//! Where codes come from.

use std::{
    collections::VecDeque,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use hybridge_picture::screen::Screen;
use hybridge_proto::qr::QrCode;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader, Stdin},
    task::spawn_blocking,
    time::sleep,
};
use zeroize::Zeroizing;

use crate::error::Error;

/// Far more than the largest QR code holds, so that an error can say that it is too long.
const MAX_TEXT: usize = 64 * 1024;
/// The largest picture file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// How many codes of the screen are remembered, so as not to be answered again.
const MAX_SEEN: usize = 64;

/// A code and its text.
pub(crate) struct Code {
    pub(crate) text: Zeroizing<String>,
    pub(crate) hint: String,
}

/// Gives codes, one after the other.
pub(crate) enum Codes {
    /// One that is there already.
    Given(Option<Code>),
    /// One a line.
    Lines(Lines<BufReader<Stdin>>),
    /// What the screen shows.
    Screen(Watch),
}

impl Codes {
    pub(crate) fn argument(text: &str) -> Result<Self, Error> {
        let code = code(text).map_err(|error| match error {
            Error::Code(_) if Path::new(text).is_file() => Error::CodeIsAFile,
            error => error,
        });
        Ok(Self::Given(Some(code?)))
    }

    pub(crate) fn standard_input() -> Self {
        Self::Lines(Lines { input: BufReader::new(tokio::io::stdin()), any: false })
    }

    /// The code in a picture. A thread of its own reads it, since a pipe may keep it waiting.
    pub(crate) async fn image(file: PathBuf) -> Result<Self, Error> {
        let name = file.clone();
        let read = spawn_blocking(move || picture(file)).await;
        let code = read.unwrap_or_else(|gone| Err(Error::PictureFile(name, gone.into())))?;
        Ok(Self::Given(Some(code)))
    }

    /// Watches the screen of this session.
    pub(crate) async fn screen() -> Result<Self, Error> {
        let screen = Screen::open().await.map_err(Error::Screen)?;
        Ok(Self::Screen(Watch { screen, seen: VecDeque::new() }))
    }

    /// Whether the next code is still to come.
    pub(crate) const fn must_wait(&self) -> bool {
        matches!(self, Self::Lines(_) | Self::Screen(_))
    }

    /// Whether they come from the screen, where everybody can show something.
    pub(crate) const fn are_seen(&self) -> bool {
        matches!(self, Self::Screen(_))
    }

    /// The next code; none when there are no more.
    ///
    /// # Errors
    /// When what comes is no code. Another may follow.
    pub(crate) async fn next(&mut self) -> Result<Option<Code>, Error> {
        match self {
            Self::Given(code) => Ok(code.take()),
            Self::Lines(lines) => lines.next().await,
            Self::Screen(watch) => watch.next().await.map(Some),
        }
    }
}

fn picture(file: PathBuf) -> Result<Code, Error> {
    let mut png = Zeroizing::new(Vec::new());
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE).read_to_end(&mut png)
    } else {
        File::open(&file).and_then(|opened| opened.take(MAX_FILE).read_to_end(&mut png))
    };
    read.map_err(|error| Error::PictureFile(file, error))?;
    code(&hybridge_picture::from_png(&png)?)
}

/// Codes that the screen shows, each of them once.
pub(crate) struct Watch {
    screen: Screen,
    /// The newest last.
    seen: VecDeque<Zeroizing<String>>,
}

impl Watch {
    async fn next(&mut self) -> Result<Code, Error> {
        loop {
            let pixels = self.screen.capture().await.map_err(Error::Screen)?;
            // Looking for codes in millions of pixels takes its time.
            let read = spawn_blocking(move || hybridge_picture::from_pixels(pixels)).await;
            match read {
                Ok(Ok(text)) if self.is_new(&text) => return code(&text),
                _ => sleep(self.screen.pause()).await,
            }
        }
    }

    /// Whether this is a code for a phone that has not been answered.
    fn is_new(&mut self, text: &Zeroizing<String>) -> bool {
        let for_phones = text.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("FIDO:/"));
        if !for_phones || self.seen.contains(text) {
            return false;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(text.clone());
        true
    }
}

/// Codes of a text, one a line. Empty lines are skipped.
pub(crate) struct Lines<R> {
    input: R,
    /// Whether there was something, be it a code or not.
    any: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    async fn next(&mut self) -> Result<Option<Code>, Error> {
        loop {
            let mut line = Zeroizing::new(Vec::with_capacity(1024));
            let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX).saturating_add(1);
            let read = (&mut self.input).take(limit).read_until(b'\n', &mut line).await;
            match read.map_err(Error::Input)? {
                0 if self.any => return Ok(None),
                0 => return Err(Error::NoCode),
                read if read > MAX_TEXT => return Err(Error::TooLong),
                _ => {}
            }
            let text = str::from_utf8(&line).map_err(|_| Error::NotText)?;
            if !text.trim_ascii().is_empty() {
                self.any = true;
                return Ok(Some(code(text)?));
            }
        }
    }
}

fn code(text: &str) -> Result<Code, Error> {
    let text = text.trim_ascii();
    let hint = QrCode::parse(text)?.effective_hint().effective().as_wire().to_owned();
    Ok(Code { text: Zeroizing::new(text.to_owned()), hint })
}

#[cfg(test)]
mod tests {
    use hybridge_proto::keys::{PrivateKey, QrSecret};

    use super::*;

    fn lines(input: &[u8]) -> Lines<&[u8]> {
        Lines { input, any: false }
    }

    fn some_code() -> String {
        let key = PrivateKey::from_seed(b"computer");
        QrCode::new(*key.public_key(), QrSecret::from_bytes(&[1; 16])).to_uri().expose_text().to_owned()
    }

    #[tokio::test]
    async fn codes_come_one_a_line() {
        let code = some_code();
        let input = format!("\n  {code} \r\nnonsense\n{code}");
        let mut lines = lines(input.as_bytes());
        let first = lines.next().await.unwrap().unwrap();
        assert_eq!((first.text.as_str(), first.hint.as_str()), (code.as_str(), "ga"));
        assert!(matches!(lines.next().await, Err(Error::Code(_))), "and the next one is read all the same");
        assert_eq!(*lines.next().await.unwrap().unwrap().text, code);
        assert!(lines.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_line_with_a_code_is_told() {
        for input in [&b""[..], b"\n", b" \n\n\t"] {
            assert!(matches!(lines(input).next().await, Err(Error::NoCode)));
        }
        assert!(matches!(lines(b"FIDO:/\xFF\n").next().await, Err(Error::NotText)));
        let endless = vec![b'1'; MAX_TEXT + 1];
        assert!(matches!(lines(&endless).next().await, Err(Error::TooLong)));
        assert!(matches!(lines(&endless[1..]).next().await, Err(Error::Code(_))));
    }
}
