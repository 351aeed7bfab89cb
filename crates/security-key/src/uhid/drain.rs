//! Reads `/dev/uhid` as fast as the kernel fills it.
//!
//! The kernel keeps 32 events of a device and drops what comes then (`UHID_BUFSIZE` in its `drivers/hid/uhid.c`), and a program
//! sends the up to 129 reports of a message without a pause. So a thread does nothing but read, and what it has read waits in
//! memory.

use std::{
    io::{self, PipeReader, PipeWriter},
    os::fd::OwnedFd,
    thread,
};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use super::event::{EVENT_SIZE, KernelEvent};

/// How many events may wait: some messages of the largest size. A program that sends more meanwhile loses reports, as it
/// would with a device that is too slow.
const WAITING: usize = 1024;

/// What was read.
pub(super) type Events = mpsc::Receiver<io::Result<KernelEvent>>;

/// Starts the thread. It ends when the device does, and when either of what this gives is dropped.
pub(super) fn start(kernel: OwnedFd) -> io::Result<(Events, PipeWriter)> {
    let (closed, open) = io::pipe()?;
    let (tell, events) = mpsc::channel(WAITING);
    let reading = move || {
        if let Err(error) = drain(&kernel, &closed, &tell) {
            // Fails only when nobody waits for it any more.
            let _ = tell.blocking_send(Err(error));
        }
    };
    thread::Builder::new().name("uhid".to_owned()).spawn(reading)?;
    Ok((events, open))
}

/// Reads until nobody wants to know.
fn drain(
    kernel: &OwnedFd,
    closed: &PipeReader,
    tell: &mpsc::Sender<io::Result<KernelEvent>>,
) -> io::Result<()> {
    let mut buffer = [0; EVENT_SIZE];
    loop {
        let mut ready = [PollFd::new(kernel, PollFlags::IN), PollFd::new(closed, PollFlags::IN)];
        match poll(&mut ready, None) {
            Err(rustix::io::Errno::INTR) => continue,
            polled => polled?,
        };
        let [_, closed] = &ready;
        if !closed.revents().is_empty() {
            return Ok(());
        }
        loop {
            let read = match rustix::io::read(kernel, &mut buffer) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => break,
                read => read?,
            };
            let bytes = buffer.get(..read).filter(|bytes| !bytes.is_empty());
            let event = KernelEvent::read(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            if tell.blocking_send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
