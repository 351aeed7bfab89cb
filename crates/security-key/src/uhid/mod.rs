//! The device that programs see, by the kernel's `/dev/uhid`.
//!
//! Whoever holds a descriptor of `/dev/uhid` can make any HID device of it, a keyboard among them. So programs of users do
//! not get one: the helper keeps it (see [`helper`](crate::helper)).

use std::{
    fs::File,
    io::{self, PipeWriter, Write},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{Mode, OFlags, open};
use tokio::sync::mpsc;

use crate::{
    driver::{Incoming, ReportChannel},
    hid::Report,
};

mod drain;
mod event;
#[cfg(test)]
mod tests;

pub(crate) use event::{BUS_USB, NAME, PRODUCT, VENDOR};
pub use event::{EVENT_SIZE, KernelEvent, create, destroy, input, refusal};

/// A virtual security key among the kernel's devices. Dropping it takes the device away.
#[derive(Debug)]
pub struct Uhid {
    /// Writing to it never blocks.
    kernel: File,
    /// What a thread of its own has read.
    events: mpsc::Receiver<io::Result<KernelEvent>>,
    /// The thread ends when this is closed.
    _open: PipeWriter,
}

impl Uhid {
    /// Makes a device with `/dev/uhid`, or what stands in for it.
    ///
    /// # Errors
    /// [`io::Error`]: there is no such file, or it may not be used.
    pub fn create(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Self::from_descriptor(open(path, flags, Mode::empty())?)
    }

    /// Makes a device with an open descriptor that does not block.
    ///
    /// # Errors
    /// [`io::Error`]: it is none of `/dev/uhid`, or the system gives no thread.
    pub fn from_descriptor(descriptor: OwnedFd) -> io::Result<Self> {
        let mut kernel = File::from(descriptor);
        kernel.write_all(&create())?;
        let (events, open) = drain::start(kernel.try_clone()?.into())?;
        Ok(Self { kernel, events, _open: open })
    }

    /// Waits for what the kernel says. What there is not, such as feature reports, is refused on the way.
    ///
    /// # Errors
    /// [`io::Error`] when the device is gone.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn event(&mut self) -> io::Result<KernelEvent> {
        loop {
            let event =
                self.events.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
            match refusal(event) {
                Some(refusal) => self.write(&refusal)?,
                None => return Ok(event),
            }
        }
    }

    /// Gives a report to the programs.
    ///
    /// # Errors
    /// [`io::Error`] when the device is gone.
    pub fn input(&self, report: &Report) -> io::Result<()> {
        self.write(&input(report))
    }

    /// An event is written as a whole or not at all.
    fn write(&self, event: &[u8]) -> io::Result<()> {
        (&self.kernel).write(event).map(drop)
    }
}

impl ReportChannel for Uhid {
    async fn receive(&mut self) -> io::Result<Incoming> {
        loop {
            match self.event().await? {
                KernelEvent::Output(report) => return Ok(Incoming::Report(report)),
                KernelEvent::Close => return Ok(Incoming::Closed),
                _ => {}
            }
        }
    }

    async fn send(&mut self, report: &Report) -> io::Result<()> {
        self.input(report)
    }
}

impl Drop for Uhid {
    fn drop(&mut self) {
        // The kernel takes the device away with the last descriptor anyway.
        let _ = self.write(&destroy());
    }
}
