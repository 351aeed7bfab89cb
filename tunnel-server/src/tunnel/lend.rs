//! How the joiner's task lends its connection to the opener's.

use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::{End, Peer};
use crate::{config::Config, metrics::Traffic};

/// A connection that comes back at the end of a tunnel, with the end that it is to be closed with.
pub(crate) struct Returned {
    pub(crate) peer: Box<Peer>,
    pub(crate) end: End,
}

/// The joiner's connection in the opener's hands. It comes back however the loan ends.
pub(crate) struct Loan {
    peer: Option<Box<Peer>>,
    back: Option<oneshot::Sender<Returned>>,
}

/// Where the joiner waits for its connection. Dropping it recalls the loan.
pub(crate) struct Lender(oneshot::Receiver<Returned>);

/// Lends a connection.
pub(crate) fn lend(peer: Box<Peer>) -> (Loan, Lender) {
    let (back, returned) = oneshot::channel();
    (Loan { peer: Some(peer), back: Some(back) }, Lender(returned))
}

impl Loan {
    /// The connection; none once it has been given back.
    pub(super) fn peer(&mut self) -> Option<&mut Peer> {
        self.peer.as_deref_mut()
    }

    /// What has come in from the joiner.
    pub(crate) fn traffic(&self, config: &Config) -> Traffic {
        self.peer.as_deref().map(|peer| peer.traffic(config)).unwrap_or_default()
    }

    /// Ready when the joiner's task is gone.
    pub(super) fn poll_recalled(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.back {
            Some(back) => back.poll_closed(context),
            None => Poll::Ready(()),
        }
    }

    /// Gives the connection back, to be closed as `end` asks for.
    pub(crate) fn give_back(&mut self, end: End) {
        if let (Some(peer), Some(back)) = (self.peer.take(), self.back.take()) {
            // Fails when the joiner's task is gone, and the connection with it.
            let _ = back.send(Returned { peer, end });
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.give_back(End::OtherSide(End::Vanished.farewell()));
    }
}

impl Lender {
    /// Waits for the connection. None only if the opener's task was destroyed in the middle.
    pub(crate) async fn returned(self) -> Option<Returned> {
        self.0.await.ok()
    }
}
