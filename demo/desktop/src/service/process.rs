//! Processes that are told lines and tell lines: the key, and windows.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::lines::{Line, Lines};

/// How many lines may wait for a process. One that takes none for so long is stuck.
const WAITING: usize = 64;
/// How long a process may live that is told nothing and tells nothing any more.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where a process tells its lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mouth {
    Stdout,
    Stderr,
}

/// What a process told, or that it has ended, with its exit code if it was no signal.
#[derive(Debug)]
pub(crate) enum Told {
    Line(Line),
    Ended(Option<i32>),
}

/// A process that runs. Dropping it ends the process at once.
pub(crate) struct Process {
    /// Nothing when the process is to be told no more.
    lines: Option<mpsc::Sender<Line>>,
    /// Dropped to end the process.
    _alive: oneshot::Sender<()>,
}

impl Process {
    /// Starts a process. What it tells is sent to `tell` as `name` makes it; the last is its end. Needs a tokio runtime.
    pub(crate) fn start<T: Send + 'static>(
        command: &mut Command,
        mouth: Mouth,
        tell: mpsc::Sender<T>,
        name: impl Fn(Told) -> T + Send + Sync + 'static,
    ) -> io::Result<Self> {
        command.stdin(Stdio::piped()).kill_on_drop(true);
        match mouth {
            Mouth::Stdout => command.stdout(Stdio::piped()),
            Mouth::Stderr => command.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let mut child = command.spawn()?;
        let (lines, to_write) = mpsc::channel(WAITING);
        let (alive, ended) = oneshot::channel();
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write(stdin, to_write));
        }
        match mouth {
            Mouth::Stdout => tokio::spawn(attend(child.stdout.take(), child, ended, tell, name)),
            Mouth::Stderr => tokio::spawn(attend(child.stderr.take(), child, ended, tell, name)),
        };
        Ok(Self { lines: Some(lines), _alive: alive })
    }

    /// Tells a line. `false` if the process does not take any.
    pub(crate) fn tell(&self, line: Line) -> bool {
        let Some(lines) = &self.lines else { return true };
        !matches!(lines.try_send(line), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// Tells it no more: its standard input ends behind the last line.
    pub(crate) fn let_go(&mut self) {
        self.lines = None;
    }
}

/// Writes lines until there are no more, or nobody reads them.
async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Line>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Passes on what a process tells, and sees it to its end.
async fn attend<T>(
    mouth: Option<impl AsyncRead + Unpin>,
    mut child: Child,
    mut ended: oneshot::Receiver<()>,
    tell: mpsc::Sender<T>,
    name: impl Fn(Told) -> T,
) {
    let listening = async {
        let Some(mouth) = mouth else { return };
        let mut lines = Lines::new(mouth);
        while let Ok(Some(line)) = lines.next().await {
            if tell.send(name(Told::Line(line))).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = listening => drop(timeout(LAST_WORDS, child.wait()).await),
        _ = &mut ended => {}
    }
    // Whether it is gone already makes no difference.
    let _ = child.kill().await;
    let code = child.wait().await.ok().and_then(|status| status.code());
    // Fails only when the service is over.
    let _ = tell.send(name(Told::Ended(code))).await;
}
