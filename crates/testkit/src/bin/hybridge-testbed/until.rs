//! How the program ends.

use std::{
    error::Error,
    fs,
    io::{self, Write},
    os::unix::fs::FileTypeExt,
};

use tokio::{
    io::{copy, sink},
    net::unix::pipe,
    signal::unix::{Signal, SignalKind, signal},
};

const INPUT: &str = "/dev/stdin";

/// Whoever wants this program to end. From the first moment on, so that it never ends without clearing up.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn listen() -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    /// Waits for SIGINT or SIGTERM.
    pub(crate) async fn signalled(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for a signal, or until whoever started the program closes the pipe to its standard input. A terminal or a
    /// file there, /dev/null above all, says nothing.
    pub(crate) async fn told(&mut self) -> io::Result<()> {
        let is_pipe = fs::metadata(INPUT).is_ok_and(|it| it.file_type().is_fifo());
        let pipe = is_pipe.then(|| pipe::OpenOptions::new().open_receiver(INPUT)).transpose()?;
        let input_ends = async {
            match pipe {
                // One that cannot be read has ended as well.
                Some(mut pipe) => drop(copy(&mut pipe, &mut sink()).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.signalled() => {}
            () = input_ends => {}
        }
        Ok(())
    }
}

/// Writes an error and its causes to standard error, in one line.
pub(crate) fn explain(error: &dyn Error) -> io::Result<()> {
    let mut output = io::stderr().lock();
    write!(output, "hybridge-testbed: {error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(output, ": {error}")?;
        cause = error.source();
    }
    writeln!(output)
}
