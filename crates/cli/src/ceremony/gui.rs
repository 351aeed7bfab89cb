//! The window of a ceremony: a program of its own, which shows events and answers with lines.

use std::{
    env,
    ffi::OsString,
    io::{self, BufReader, IsTerminal},
    os::unix::process::parent_id,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use hybridge_security_key::openers;
use tokio::{sync::mpsc, time::sleep};

use super::{
    error::Error,
    events::{Events, named},
    lines::next_line,
};

/// The program with the window.
const PROGRAM: &str = "hybridge-desktop";
/// The exit code of a window that found no display.
const NO_DISPLAY: i32 = 3;
/// How long a window may take from its last line to its end.
const LAST_WORDS: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(10);

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The window is closed, or its button for that was used.
    Cancel,
    BluetoothOn,
    Retry,
}

/// A window that is open.
pub(crate) struct Gui {
    /// Its standard input. A window takes few and short lines, which the pipe keeps although it may not read.
    pub(crate) events: Events<ChildStdin>,
    pub(crate) answers: Answers,
}

/// What the window says.
pub(crate) struct Answers {
    window: Child,
    lines: mpsc::Receiver<Answer>,
}

impl Gui {
    /// Opens a window. The one beside this program goes before one in `PATH`, which may be of another version.
    pub(crate) fn open() -> Result<Self, Error> {
        let beside = env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
        let beside = beside.filter(|file| file.is_file());
        Self::start(beside.unwrap_or_else(|| PathBuf::from(PROGRAM)).into())
    }

    fn start(program: OsString) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg("window").stdin(Stdio::piped()).stdout(Stdio::piped());
        if !io::stderr().is_terminal() {
            // The window stays longer than this program, and whoever reads that to its end does not wait for it.
            command.stderr(Stdio::null());
        }
        let mut window = command.spawn().map_err(Error::NoWindow)?;
        let (Some(stdin), Some(stdout)) = (window.stdin.take(), window.stdout.take()) else {
            return Err(Error::NoWindow(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { events: Events::new(stdin), answers: Answers { window, lines: answers(stdout) } })
    }
}

/// The answers among the lines that come, from a thread that lives as long as the window or this program.
fn answers(stdout: ChildStdout) -> mpsc::Receiver<Answer> {
    let (tell, lines) = mpsc::channel(8);
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        while let Ok(Some(line)) = next_line(&mut stdout) {
            if read(&line).is_some_and(|answer| tell.blocking_send(answer).is_err()) {
                return;
            }
        }
    });
    lines
}

/// What is no answer is passed over.
fn read(line: &[u8]) -> Option<Answer> {
    match line.trim_ascii() {
        b"" => Some(Answer::Cancel),
        b"bluetooth-on" => Some(Answer::BluetoothOn),
        b"retry" => Some(Answer::Retry),
        _ => None,
    }
}

impl Answers {
    /// Waits for an answer, or why there are no more.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Answer, Error> {
        if let Some(answer) = self.lines.recv().await {
            return Ok(answer);
        }
        let mut left = LAST_WORDS;
        while !left.is_zero() {
            match self.window.try_wait() {
                Ok(None) => sleep(PAUSE).await,
                Ok(Some(status)) => match status.code() {
                    Some(0) => return Ok(Answer::Cancel),
                    Some(NO_DISPLAY) => return Err(Error::NoDisplay),
                    _ => break,
                },
                Err(_) => break,
            }
            left = left.saturating_sub(PAUSE);
        }
        Err(Error::WindowGone)
    }
}

/// Tells the window who asks, and for whom. The program is the one that started this one.
pub(crate) fn phone_wanted(
    gui: &mut Gui,
    operation: &'static str,
    (origin, rp_id): (&str, &str),
    user: Option<&str>,
) {
    let asking = openers::program(parent_id());
    // A window that does not listen any more has ended, which is noticed.
    let _ = gui.events.phone_wanted(operation, rp_id, user, origin, &named(asking.as_slice()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window that does so. It is written by another process, so that no other test that starts something has the file
    /// open for writing.
    fn window(script: &str) -> (tempfile::TempDir, Gui) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("window");
        let mut shell = Command::new("/bin/sh");
        let write = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        assert!(shell.args(["-c", write]).arg(&program).arg(script).status().unwrap().success());
        let gui = Gui::start(program.into()).unwrap();
        (folder, gui)
    }

    #[tokio::test]
    async fn answers_are_read_and_anything_else_is_passed_over() {
        let long = "head -c 100000 /dev/zero | tr '\\0' 'x'; echo";
        let script =
            format!("{long}; echo retry; echo; echo y; printf 'bluetooth-on \\r\\n\\377\\n'; echo 'phone 3'");
        let (_folder, mut gui) = window(&script);
        for expected in [Answer::Retry, Answer::Cancel, Answer::BluetoothOn, Answer::Cancel] {
            assert_eq!(gui.answers.next().await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn the_end_of_a_window_says_why() {
        let (_folder, mut gui) = window("exit 0");
        assert_eq!(gui.answers.next().await.unwrap(), Answer::Cancel);
        let (_folder, mut gui) = window("exit 3");
        assert!(matches!(gui.answers.next().await, Err(Error::NoDisplay)));
        for crash in ["exit 101", "kill -9 $$", "exec 1>&-; sleep 5"] {
            let (_folder, mut gui) = window(crash);
            assert!(matches!(gui.answers.next().await, Err(Error::WindowGone)), "{crash}");
        }
    }

    #[test]
    fn a_missing_program_is_told() {
        let Err(error) = Gui::start("/nonexistent/hybridge-desktop".into()) else { panic!("it was started") };
        assert!(error.in_one_line().contains("install it beside this program"), "{}", error.in_one_line());
    }
}
