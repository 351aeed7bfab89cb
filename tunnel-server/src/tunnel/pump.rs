//! Moving one peer's frames to the other.

use std::{
    io,
    ops::Range,
    task::{Context, Poll, ready},
};

use super::{
    End, MESSAGE_OVERHEAD,
    peer::{Peer, with_buffer},
};
use crate::websocket::Control;

/// Moves what `from` sends to `to` until one of them is not ready. Ready with the end of `from`, or with
/// [`End::OtherSide`] if `to` is gone.
pub(super) fn pump(from: &mut Peer, to: &mut Peer, context: &mut Context<'_>) -> Poll<End> {
    loop {
        to.answer_ping();
        // What `to` has not taken stops `from` from being read.
        if ready!(to.poll_send(context)).is_err() {
            return Poll::Ready(End::OtherSide(End::Vanished.farewell()));
        }
        let moved = with_buffer(|buffer| {
            let input = match ready!(from.poll_read(context, buffer)) {
                Ok(input) if !input.is_empty() => input,
                _ => return Poll::Ready(Err(End::Vanished)),
            };
            Poll::Ready(rewrite(from, buffer, input, |output, _| to.send(context, output)))
        });
        to.set_whole(from.reframer.at_boundary());
        if let Err(end) = ready!(moved) {
            return Poll::Ready(end);
        }
    }
}

/// Keeps what `from` sends in `held` while there is nobody to send it to.
pub(super) fn hold(
    from: &mut Peer,
    context: &mut Context<'_>,
    held: &mut Vec<u8>,
    room: &mut usize,
) -> Poll<End> {
    loop {
        from.answer_ping();
        if let Poll::Ready(Err(_)) = from.poll_send(context) {
            return Poll::Ready(End::Vanished);
        }
        let mut full = false;
        let moved = with_buffer(|buffer| {
            let input = match ready!(from.poll_read(context, buffer)) {
                Ok(input) if !input.is_empty() => input,
                _ => return Poll::Ready(Err(End::Vanished)),
            };
            Poll::Ready(rewrite(from, buffer, input, |output, frames| {
                let cost = output.len().saturating_add(frames.saturating_mul(MESSAGE_OVERHEAD));
                *room = room.checked_sub(cost).unwrap_or_else(|| {
                    full = true;
                    0
                });
                held.extend_from_slice(output);
                Ok(())
            }))
        });
        match ready!(moved) {
            _ if full => return Poll::Ready(End::PendingBytes),
            Ok(()) => {}
            Err(end) => return Poll::Ready(end),
        }
    }
}

/// Drops what `from` sends. Ready when it closes, leaves, or breaks a rule.
pub(super) fn discard(from: &mut Peer, context: &mut Context<'_>) -> Poll<()> {
    loop {
        let dropped = with_buffer(|buffer| {
            let input = match ready!(from.poll_read(context, buffer)) {
                Ok(input) if !input.is_empty() => input,
                _ => return Poll::Ready(Err(End::Vanished)),
            };
            Poll::Ready(rewrite(from, buffer, input, |_, _| Ok(())))
        });
        if ready!(dropped).is_err() {
            return Poll::Ready(());
        }
    }
}

/// Rewrites what was read and gives it out piece by piece, with the number of frames that begin in the piece.
fn rewrite(
    from: &mut Peer,
    buffer: &mut [u8],
    mut input: Range<usize>,
    mut give: impl FnMut(&[u8], usize) -> io::Result<()>,
) -> Result<(), End> {
    while !input.is_empty() {
        let reframed = from.reframer.reframe(buffer, input);
        let output = buffer.get(reframed.output).unwrap_or_default();
        if !output.is_empty() {
            give(output, reframed.frames).map_err(|_| End::OtherSide(End::Vanished.farewell()))?;
        }
        match reframed.stop {
            Some(Ok(Control::Ping(payload))) => from.pinged(&payload),
            Some(Ok(Control::Close(code))) => return Err(End::Closed(code)),
            Some(Err(violation)) => return Err(violation.into()),
            None => {}
        }
        input = reframed.rest;
    }
    Ok(())
}
