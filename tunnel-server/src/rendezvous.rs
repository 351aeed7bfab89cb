//! The table in which the two sides of a tunnel find each other.
//!
//! A plain struct: it does no I/O and reads no clock. The caller says what happened and when, and carries out
//! the answer. A tunnel goes through these states:
//!
//! ```text
//! absent --open--> pending --join--> joined --close--> absent
//!                     |                 |
//!                     +---- close, or its time is over ----> absent
//! ```
//!
//! Times given to one table must not run backwards. A tunnel whose time is over counts as absent at once, also
//! if its owner has not called [`Rendezvous::close`] yet; that late call then finds a newer generation and does
//! nothing.

use std::{
    collections::HashMap,
    fmt,
    time::{Duration, Instant},
};

use hybridge_proto::ids::{RoutingId, TunnelId};
use thiserror::Error;

/// Stands in for an end of time that an `Instant` cannot express: 30 years.
const FAR_AWAY: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// All tunnels of a service, with `P` being what the opener leaves for the joiner.
pub struct Rendezvous<P> {
    limits: Limits,
    next_generation: u64,
    tunnels: HashMap<TunnelId, Tunnel<P>>,
}

/// What bounds the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most tunnels at a time, pending and joined together.
    pub tunnels: usize,
    /// How long a tunnel waits to be joined.
    pub pending: Duration,
    /// How long a tunnel lives altogether, counted from its opening.
    pub lifetime: Duration,
}

struct Tunnel<P> {
    generation: u64,
    routing: RoutingId,
    /// When the tunnel counts as absent: the end of waiting while pending, the end of its life once joined.
    over: Instant,
    /// The end of its life.
    ends: Instant,
    /// Present while pending.
    parked: Option<P>,
}

/// Names one tunnel of one generation: the right to take it off the table.
#[derive(PartialEq, Eq)]
pub struct Ticket {
    tunnel: TunnelId,
    generation: u64,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The answer to [`Rendezvous::open`].
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// Takes the tunnel off the table.
    pub ticket: Ticket,
    /// When waiting for the other side is over.
    pub pending_until: Instant,
    /// When the tunnel is over, joined or not.
    pub ends: Instant,
}

/// The answer to [`Rendezvous::join`].
#[derive(Debug, PartialEq, Eq)]
pub struct Joined<P> {
    /// Takes the tunnel off the table.
    pub ticket: Ticket,
    /// What the opener left.
    pub parked: P,
    /// When the tunnel is over.
    pub ends: Instant,
}

/// Why a tunnel was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A tunnel with this ID is pending or joined.
    #[error("a tunnel with this ID exists; open another one under a fresh ID")]
    InUse,
    /// The table holds as many tunnels as it may.
    #[error("the service has no room for another tunnel; try again in a minute")]
    Full,
}

/// No tunnel with this ID and routing ID waits to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such tunnel waits to be joined; it may be taken, over, or not open yet")]
pub struct NoSuchTunnel;

impl<P> Rendezvous<P> {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        Self { limits, next_generation: 0, tunnels: HashMap::new() }
    }

    /// Opens a tunnel that waits for its other side until [`Opened::pending_until`].
    ///
    /// A tunnel of the same ID whose time is over is replaced, which drops what its opener had parked.
    ///
    /// # Errors
    /// [`OpenError`] when the ID is in use or the table is full; `parked` is dropped.
    pub fn open(
        &mut self,
        tunnel: TunnelId,
        routing: RoutingId,
        parked: P,
        now: Instant,
    ) -> Result<Opened, OpenError> {
        match self.tunnels.get(&tunnel) {
            Some(existing) if now < existing.over => return Err(OpenError::InUse),
            None if self.tunnels.len() >= self.limits.tunnels => return Err(OpenError::Full),
            _ => {}
        }
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let ends = after(now, self.limits.lifetime);
        let pending_until = after(now, self.limits.pending).min(ends);
        let parked = Some(parked);
        self.tunnels.insert(tunnel, Tunnel { generation, routing, over: pending_until, ends, parked });
        Ok(Opened { ticket: Ticket { tunnel, generation }, pending_until, ends })
    }

    /// Joins a pending tunnel. Only one caller can: the tunnel is no longer pending afterwards.
    ///
    /// # Errors
    /// [`NoSuchTunnel`] when there is none, its time is over, it is joined already or has another routing ID.
    /// The answer does not tell these apart, and a wrong routing ID leaves the tunnel pending.
    pub fn join(
        &mut self,
        tunnel: TunnelId,
        routing: RoutingId,
        now: Instant,
    ) -> Result<Joined<P>, NoSuchTunnel> {
        let found = self.tunnels.get_mut(&tunnel).ok_or(NoSuchTunnel)?;
        if found.routing != routing || now >= found.over {
            return Err(NoSuchTunnel);
        }
        let parked = found.parked.take().ok_or(NoSuchTunnel)?;
        found.over = found.ends;
        let ticket = Ticket { tunnel, generation: found.generation };
        Ok(Joined { ticket, parked, ends: found.ends })
    }

    /// Takes a tunnel off the table and says whether it was there.
    ///
    /// Both sides call it when they leave. A ticket of an older generation changes nothing, so a late call never
    /// removes a newer tunnel with the same ID.
    pub fn close(&mut self, ticket: &Ticket) -> bool {
        let current = self.tunnels.get(&ticket.tunnel).map(|tunnel| tunnel.generation);
        current == Some(ticket.generation) && self.tunnels.remove(&ticket.tunnel).is_some()
    }

    /// How many tunnels the table holds, those that are over and not closed yet included.
    pub fn len(&self) -> usize {
        self.tunnels.len()
    }

    /// Whether the table holds no tunnel.
    pub fn is_empty(&self) -> bool {
        self.tunnels.is_empty()
    }
}

impl<P> fmt::Debug for Rendezvous<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendezvous").field("tunnels", &self.tunnels.len()).finish_non_exhaustive()
    }
}

fn after(now: Instant, duration: Duration) -> Instant {
    now.checked_add(duration.min(FAR_AWAY)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
