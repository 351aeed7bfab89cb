//! One connection of a tunnel after its upgrade.

use std::{
    cell::RefCell,
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::ReadBuf;

use super::Io;
use crate::{
    config::Config,
    metrics::Traffic,
    websocket::{self, HEADROOM, Limits, Reframer},
};

/// The most bytes of answers to pings that wait before another one joins them.
const MAX_PONGS: usize = 2048;
/// How much is read at once. Protocol messages are near 100 bytes, digital credentials up to 1 MiB.
const PIECE: usize = 64 * 1024;

thread_local! {
    /// What a thread reads into. Nothing stays in it from one poll to the next.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; HEADROOM + PIECE].into_boxed_slice());
}

/// Runs `work` with this thread's buffer, whose first [`HEADROOM`] bytes are for the reframer.
pub(super) fn with_buffer<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    BUFFER.with(|buffer| match buffer.try_borrow_mut() {
        Ok(mut buffer) => work(&mut buffer),
        // A stream that polls another tunnel from within its own poll; none here does.
        Err(_) => work(&mut vec![0; HEADROOM + PIECE]),
    })
}

/// A connection: its stream, how far its frames have been read, and what it is yet to be sent.
///
/// Both sides of a tunnel are of one type, whatever their streams are; a side is passed on as a box, so that it is in
/// memory once and no future on the way has room for a second one.
pub(crate) struct Peer<S: ?Sized = dyn Io> {
    pub(super) reframer: Reframer,
    /// Read together with the request, to be treated before anything else.
    early: Vec<u8>,
    unsent: Vec<u8>,
    /// How much of `unsent` is sent.
    sent: usize,
    /// Whether what was sent and queued ends with a whole frame, so that a control frame may follow.
    whole: bool,
    /// How many pings have come in, more or less.
    pings: u32,
    /// The answers to this peer's pings, to be sent between two frames.
    pongs: Option<Vec<u8>>,
    pub(super) io: S,
}

impl Peer {
    /// Takes over a connection after its upgrade. `early` is what the peer sent right behind its request.
    pub(crate) fn new(io: impl Io + 'static, early: Vec<u8>, config: &Config) -> Box<Self> {
        let message = u64::try_from(config.max_message).unwrap_or(u64::MAX);
        let limits = Limits { message, total: config.max_tunnel_bytes, messages: config.max_tunnel_messages };
        Box::new(Peer {
            reframer: Reframer::new(limits),
            early,
            unsent: Vec::new(),
            sent: 0,
            whole: true,
            pings: 0,
            pongs: None,
            io,
        })
    }

    /// Reads what is there into the buffer behind its headroom; an empty range at the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Range<usize>>> {
        let space = buffer.get_mut(HEADROOM..).unwrap_or_default();
        let read = if self.early.is_empty() {
            let mut space = ReadBuf::new(space);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut space))?;
            space.filled().len()
        } else {
            let read = self.early.len().min(space.len());
            space.iter_mut().zip(self.early.drain(..read)).for_each(|(to, from)| *to = from);
            if self.early.is_empty() {
                self.early = Vec::new();
            }
            read
        };
        Poll::Ready(Ok(HEADROOM..HEADROOM.saturating_add(read)))
    }

    /// Sends bytes behind those that are waiting; keeps what the peer does not take now.
    pub(super) fn send(&mut self, context: &mut Context<'_>, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && self.unsent.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, bytes) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => bytes = bytes.get(written..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        self.unsent.extend_from_slice(bytes);
        Ok(())
    }

    /// Puts bytes behind those that are waiting, without sending yet.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Sends what is waiting, and flushes. Ready when nothing is left.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.unsent.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.io).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent = self.sent.saturating_add(written),
            }
        }
        if self.sent > 0 {
            // Frees the memory: a slow moment should not be paid for all the time.
            (self.unsent, self.sent) = (Vec::new(), 0);
        }
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Notes a ping. Where too many answers wait, only the last one is sent (RFC 6455 section 5.5.3).
    pub(super) fn pinged(&mut self, payload: &[u8]) {
        let mut pongs = self.pongs.take().filter(|pongs| pongs.len() <= MAX_PONGS).unwrap_or_default();
        pongs.extend(websocket::pong_frame(payload));
        self.pongs = Some(pongs);
        self.pings = self.pings.wrapping_add(1);
    }

    /// A number that changes with whatever comes in of messages and pings.
    pub(super) fn mark(&self) -> u64 {
        self.reframer.mark().wrapping_add(self.pings.into())
    }

    /// What has come in, by the limits that were given to [`Peer::new`].
    pub(crate) const fn traffic(&self, config: &Config) -> Traffic {
        let left = self.reframer.left();
        Traffic {
            messages: config.max_tunnel_messages.saturating_sub(left.messages),
            bytes: config.max_tunnel_bytes.saturating_sub(left.total),
        }
    }

    /// Queues the answers to pings, unless they would stand within a frame; then the next call does.
    pub(super) fn answer_ping(&mut self) {
        if let Some(pongs) = self.pongs.take_if(|_| self.whole) {
            self.queue(&pongs);
        }
    }

    /// Says whether the last bytes for this peer ended a frame.
    pub(super) const fn set_whole(&mut self, whole: bool) {
        self.whole = whole;
    }

    /// Whether a control frame may follow what was sent and queued.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }
}
