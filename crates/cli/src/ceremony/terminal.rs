//! What happens, for a person at a terminal.

use std::io::{self, Write};

use hybridge_picture::Palette;

use super::step::{Shown, Step};

/// Columns of the quiet zone on both sides of a code.
const QUIET: usize = 8;
/// The least columns beside a code in which words are legible.
const LEAST_CAPTION: usize = 24;

/// What is known of the terminal.
#[derive(Clone, Copy)]
pub(crate) struct Surface {
    /// Its columns; nothing if it is a file or a pipe, which cannot take anything back.
    pub(crate) columns: Option<usize>,
    pub(crate) palette: Palette,
}

/// Draws codes and writes lines.
pub(crate) struct Terminal<W> {
    out: W,
    surface: Surface,
    purpose: &'static str,
    /// How many rows there are from the top of the code that is shown to the cursor.
    rows: Option<usize>,
}

impl<W: Write> Terminal<W> {
    /// `purpose` completes "Scan this code with your phone to …".
    pub(crate) const fn new(out: W, surface: Surface, purpose: &'static str) -> Self {
        Self { out, surface, purpose, rows: None }
    }

    /// Draws the code with the origin beside it, in place of an earlier code.
    pub(crate) fn show(&mut self, shown: &Shown<'_>) -> io::Result<()> {
        self.take_back()?;
        self.rows = Some(0);
        let code = shown.picture.to_terminal(self.surface.palette);
        let width = shown.picture.modules() + QUIET;
        let columns = self.surface.columns.unwrap_or(100);
        let room = columns.saturating_sub(width + 3);
        if room < LEAST_CAPTION {
            for line in code.lines() {
                self.line(line, 1)?;
            }
            return self.caption(shown, columns).iter().try_for_each(|line| self.line(line, 1));
        }
        let caption = self.caption(shown, room);
        let mut words = std::iter::repeat_n("", 2).chain(caption.iter().map(String::as_str));
        for line in code.lines() {
            let beside = words.next().unwrap_or_default();
            self.line(format!("{line}  {beside}").trim_end(), 1)?;
        }
        // A code has 17 lines at least, so few origins are so long.
        words.try_for_each(|line| self.line(line, 1))
    }

    pub(crate) fn tell(&mut self, step: &Step) -> io::Result<()> {
        let words = match step {
            Step::CodeHidden => return self.take_back(),
            Step::PhoneNearby => "A phone is near.",
            Step::Connecting => "Connecting.",
            Step::Handshaking => return Ok(()),
            Step::Connected => "Connected.",
            Step::WaitingForApproval => "Approve on the phone.",
            Step::AttemptFailed(error) => {
                return self.words(&format!("A phone did not get through: {error}."));
            }
            Step::UnknownTunnelService(domain) => {
                return self.words(&format!(
                    "A phone uses tunnel service {domain}, which this program does not know."
                ));
            }
        };
        self.words(words)
    }

    /// The last line: why it failed.
    pub(crate) fn fail(&mut self, message: &str) -> io::Result<()> {
        self.words(message)
    }

    /// What stands beside a code, in lines of at most so many columns.
    fn caption(&self, shown: &Shown<'_>, columns: usize) -> Vec<String> {
        let mut lines = wrap(&format!("Scan this code with your phone to {}", self.purpose), columns);
        // Never cut off: who reads only the beginning of a name may take it for another one.
        lines.extend(pieces(shown.origin, columns));
        if shown.origin.split_once("://").is_some_and(|(_, host)| host != shown.rp_id) {
            lines.extend(pieces(&format!("({})", shown.rp_id), columns));
        }
        lines.push(String::new());
        lines.extend(wrap("Keep the phone near, with Bluetooth on. Ctrl-C cancels.", columns));
        lines
    }

    /// Takes the code away, if there is one.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.take_back()
    }

    fn words(&mut self, words: &str) -> io::Result<()> {
        let rows = self.surface.columns.map_or(1, |columns| words.chars().count().div_ceil(columns.max(1)));
        self.line(words, rows)
    }

    fn line(&mut self, line: &str, rows: usize) -> io::Result<()> {
        self.rows = self.rows.map(|above| above + rows);
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Takes the code off the terminal, and what stands below it.
    fn take_back(&mut self) -> io::Result<()> {
        if let (Some(rows), Some(_)) = (self.rows.take(), self.surface.columns) {
            write!(self.out, "\x1b[{rows}F\x1b[J")?;
        }
        self.out.flush()
    }
}

/// Breaks a sentence between words.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Breaks a name anywhere.
fn pieces(name: &str, columns: usize) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    letters.chunks(columns.max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use hybridge_picture::Picture;

    use super::*;

    const ORIGIN: &str = "https://a-rather-long-name-of-a-host.and-another-label.www.demo.example:8443";

    /// What is written when a code is shown, something happens, and it is hidden.
    fn session(columns: Option<usize>) -> (String, String) {
        let code = format!("FIDO:/{}", "7".repeat(168));
        let picture = Picture::draw(&code).unwrap();
        let shown =
            Shown { code: &code, picture: &picture, origin: ORIGIN, rp_id: "demo.example", seconds: 120 };
        let surface = Surface { columns, palette: Palette::LightOnDark };
        let mut written = Vec::new();
        let mut terminal = Terminal::new(&mut written, surface, "sign in to");
        terminal.show(&shown).unwrap();
        terminal.tell(&Step::PhoneNearby).unwrap();
        terminal.tell(&Step::CodeHidden).unwrap();
        terminal.tell(&Step::Connected).unwrap();
        terminal.tell(&Step::CodeHidden).unwrap();
        let text = String::from_utf8(written).unwrap();
        let (before, after) = text.split_once("\x1b[").unwrap_or((&text, ""));
        (before.to_owned(), after.to_owned())
    }

    #[test]
    fn the_origin_stands_beside_the_code_in_full() {
        for columns in [None, Some(80), Some(68), Some(67), Some(50), Some(41), Some(20)] {
            let (text, _) = session(columns);
            let beside = columns.is_none_or(|columns| columns >= 68);
            let words: String = text
                .lines()
                .filter_map(
                    |line| if beside { line.get(line.char_indices().nth(41)?.0..) } else { Some(line) },
                )
                .map(str::trim)
                .collect();
            assert!(words.contains(ORIGIN), "{columns:?}\n{text}");
            assert!(words.contains("(demo.example)"));
            assert!(!text.contains("FIDO"), "the text itself is not for people");
        }
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for columns in [80, 68, 67, 50, 41] {
            let (text, _) = session(Some(columns));
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns, "{widest} in {columns}\n{text}");
        }
    }

    #[test]
    fn a_code_is_taken_back_with_what_stands_below_it() {
        for columns in [80, 68, 67, 50, 41] {
            let (text, after) = session(Some(columns));
            let rows = text.lines().count();
            assert_eq!(after, format!("{rows}F\x1b[JConnected.\n"), "once, and what comes later stays");
        }
        let (text, after) = session(None);
        assert!(
            text.ends_with("A phone is near.\nConnected.\n") && after.is_empty(),
            "a file keeps everything"
        );
    }
}
