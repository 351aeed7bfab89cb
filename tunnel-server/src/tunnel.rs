//! A tunnel: two connections, and one task that moves what they send.
//!
//! The opener's task does the moving for both directions. The joiner's task lends it its connection, waits, and gets
//! the connection back when the tunnel is over; each side then says its own goodbye. While the tunnel is quiet, neither
//! connection holds a buffer: bytes are read into a buffer of the thread, rewritten there and sent from there. Only what
//! a peer is too slow to take is kept, and while something is kept for a peer, the other one is not read.

mod end;
mod lend;
mod peer;
mod pump;
mod times;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::pump::{hold, pump};
pub(crate) use self::{
    end::{End, linger},
    lend::{Lender, Loan, lend},
    peer::Peer,
    times::Times,
};
use crate::config::Config;

/// Anything that one connection's bytes travel over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + ?Sized> Io for T {}

/// What a waiting message counts beside its length, so that empty ones count too.
const MESSAGE_OVERHEAD: usize = 64;

/// Waits until the other side lends its connection, and keeps what comes in meanwhile for it.
pub(crate) async fn wait_for_peer(
    opener: &mut Peer,
    config: &Config,
    joined: &mut oneshot::Receiver<Loan>,
    stop: &CancellationToken,
    pending_until: Instant,
) -> Result<Loan, End> {
    let mut held = Vec::new();
    let mut room = config.max_pending_bytes;
    tokio::select! {
        biased;
        loan = joined => {
            let mut loan = loan.map_err(|_| End::Unjoined)?;
            if let Some(joiner) = loan.peer() {
                joiner.queue(&held);
                joiner.set_whole(opener.reframer.at_boundary());
            }
            Ok(loan)
        }
        () = stop.cancelled() => Err(End::Stopping),
        () = sleep_until(pending_until) => Err(End::Unjoined),
        end = poll_fn(|context| hold(opener, context, &mut held, &mut room)) => Err(end),
    }
}

/// Moves messages both ways until the tunnel ends. Gives the ends of opener and joiner.
pub(crate) async fn forward(
    opener: &mut Peer,
    loan: &mut Loan,
    stop: &CancellationToken,
    times: &mut Times,
) -> (End, End) {
    times.begin(mark(opener, loan));
    loop {
        tokio::select! {
            ends = Forward { opener, loan } => return ends,
            () = stop.cancelled() => return (End::Stopping, End::Stopping),
            () = sleep_until(times.next_look(Instant::now())) => {
                if let Some(end) = times.look(Instant::now(), mark(opener, loan)) {
                    return (end, end);
                }
            }
        }
    }
}

/// A number that changes with whatever comes in from either side.
fn mark(opener: &Peer, loan: &mut Loan) -> u64 {
    loan.peer().map_or(0, |joiner| joiner.mark()).wrapping_add(opener.mark())
}

/// Both directions at once; ready with the ends of opener and joiner.
struct Forward<'a> {
    opener: &'a mut Peer,
    loan: &'a mut Loan,
}

impl Future for Forward<'_> {
    type Output = (End, End);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<(End, End)> {
        let Self { opener, loan } = &mut *self;
        if loan.poll_recalled(context).is_ready() {
            return Poll::Ready((End::OtherSide(End::Vanished.farewell()), End::Vanished));
        }
        let Some(joiner) = loan.peer() else {
            return Poll::Ready((End::OtherSide(End::Vanished.farewell()), End::Vanished));
        };
        if let Poll::Ready(end) = pump(opener, joiner, context) {
            return Poll::Ready((end, End::OtherSide(end.farewell())));
        }
        if let Poll::Ready(end) = pump(joiner, opener, context) {
            return Poll::Ready((End::OtherSide(end.farewell()), end));
        }
        // The answer to a ping is due to the peer that the direction behind it has just been read from.
        opener.answer_ping();
        joiner.answer_ping();
        match (opener.poll_send(context), joiner.poll_send(context)) {
            (Poll::Ready(Err(_)), _) => {
                Poll::Ready((End::Vanished, End::OtherSide(End::Vanished.farewell())))
            }
            (_, Poll::Ready(Err(_))) => {
                Poll::Ready((End::OtherSide(End::Vanished.farewell()), End::Vanished))
            }
            _ => Poll::Pending,
        }
    }
}
