//! The table in which the two sides of a tunnel find each other, and the limits of the service as a whole and of
//! each source.
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

use crate::limits::{Accounts, Rate, Source};

/// Stands in for an end of time that an `Instant` cannot express: 30 years.
const FAR_AWAY: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// All tunnels of a service, with `P` being what the opener leaves for the joiner.
pub struct Rendezvous<P> {
    limits: Limits,
    draining: bool,
    next_generation: u64,
    tunnels: HashMap<TunnelId, Tunnel<P>>,
    /// How many of them wait to be joined.
    pending: usize,
    connections: usize,
    accounts: Accounts,
}

/// What bounds the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most tunnels at a time, pending and joined together.
    pub tunnels: usize,
    /// The most tunnels at a time that wait to be joined.
    pub pending_tunnels: usize,
    /// The most tunnels at a time that one source has opened.
    pub tunnels_per_source: usize,
    /// The most connections at a time of one source.
    pub connections_per_source: usize,
    /// How often one source may ask for a new tunnel.
    pub new_rate: Rate,
    /// How often one source may ask to join a tunnel.
    pub connect_rate: Rate,
    /// How long a tunnel waits to be joined.
    pub pending: Duration,
    /// How long a tunnel lives altogether, counted from its opening.
    pub lifetime: Duration,
}

struct Tunnel<P> {
    generation: u64,
    routing: RoutingId,
    /// Whose account it is on.
    source: Source,
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
    /// As many tunnels wait to be joined as may.
    #[error("the service has no room for another tunnel that waits; try again in a minute")]
    FullOfPending,
    /// The source has as many tunnels as it may.
    #[error("this address has opened as many tunnels as it may; close one of them")]
    SourceFull,
    /// The service lets its tunnels come to an end and opens no new ones.
    #[error("the service is about to stop; try again in a minute")]
    Draining,
}

/// No tunnel with this ID and routing ID waits to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such tunnel waits to be joined; it may be taken, over, or not open yet")]
pub struct NoSuchTunnel;

/// A source has as many connections as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this address has as many connections as it may; close one of them")]
pub struct TooManyConnections;

/// A source asks more often than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many requests from this address; wait {retry_after:?}")]
pub struct TooFast {
    /// How long it is until one more request is due.
    pub retry_after: Duration,
}

/// What a request asks for; each has a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A new tunnel.
    New,
    /// To join a tunnel.
    Connect,
}

impl<P> Rendezvous<P> {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            draining: false,
            next_generation: 0,
            tunnels: HashMap::new(),
            pending: 0,
            connections: 0,
            accounts: Accounts::default(),
        }
    }

    /// Sets other limits. What is open stays open, with the times it was given.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Opens no new tunnels from now on. Those that wait can still be joined.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether no new tunnels are opened.
    pub const fn is_draining(&self) -> bool {
        self.draining
    }

    /// Puts a connection on the account of its source. The answer is the source to hand to [`Rendezvous::leave`]:
    /// [`Source::UNKNOWN`] where there is no account for it.
    ///
    /// # Errors
    /// [`TooManyConnections`] when the source has as many as it may.
    pub fn arrive(&mut self, source: Source, now: Instant) -> Result<Source, TooManyConnections> {
        let counted = match self.accounts.account(source, now) {
            Some(account) if account.connections >= self.limits.connections_per_source => {
                return Err(TooManyConnections);
            }
            Some(account) => {
                account.connections = account.connections.saturating_add(1);
                source
            }
            None => Source::UNKNOWN,
        };
        self.connections = self.connections.saturating_add(1);
        Ok(counted)
    }

    /// Takes a connection off the account that [`Rendezvous::arrive`] named.
    pub fn leave(&mut self, counted: Source) {
        self.connections = self.connections.saturating_sub(1);
        if let Some(account) = self.accounts.existing(counted) {
            account.connections = account.connections.saturating_sub(1);
        }
    }

    /// Takes one request off the rate of a source, whether anything comes of the request or not.
    ///
    /// # Errors
    /// [`TooFast`] when the source has used its rate up; such a request costs it nothing.
    pub fn knock(&mut self, source: Source, door: Door, now: Instant) -> Result<(), TooFast> {
        let Some(account) = self.accounts.account(source, now) else { return Ok(()) };
        let (bucket, rate) = match door {
            Door::New => (&mut account.new, self.limits.new_rate),
            Door::Connect => (&mut account.connect, self.limits.connect_rate),
        };
        bucket.take(rate, now).map_err(|retry_after| TooFast { retry_after })
    }

    /// Opens a tunnel that waits for its other side until [`Opened::pending_until`].
    ///
    /// A tunnel of the same ID whose time is over is replaced, which drops what its opener had parked.
    ///
    /// # Errors
    /// [`OpenError`] when the ID is in use or there is no room; `parked` is dropped.
    pub fn open(
        &mut self,
        (tunnel, routing): (TunnelId, RoutingId),
        source: Source,
        parked: P,
        now: Instant,
    ) -> Result<Opened, OpenError> {
        self.make_place(tunnel, now)?;
        let source = match self.accounts.account(source, now) {
            Some(account) if account.tunnels >= self.limits.tunnels_per_source => {
                return Err(OpenError::SourceFull);
            }
            Some(account) => {
                account.tunnels = account.tunnels.saturating_add(1);
                source
            }
            None => Source::UNKNOWN,
        };
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let ends = after(now, self.limits.lifetime);
        let pending_until = after(now, self.limits.pending).min(ends);
        let parked = Some(parked);
        let opened = Tunnel { generation, routing, source, over: pending_until, ends, parked };
        self.tunnels.insert(tunnel, opened);
        self.pending = self.pending.saturating_add(1);
        Ok(Opened { ticket: Ticket { tunnel, generation }, pending_until, ends })
    }

    /// Checks that the table as a whole can take one more, and takes off one of the same ID whose time is over.
    fn make_place(&mut self, tunnel: TunnelId, now: Instant) -> Result<(), OpenError> {
        if self.draining {
            return Err(OpenError::Draining);
        }
        match self.tunnels.get(&tunnel) {
            Some(existing) if now < existing.over => return Err(OpenError::InUse),
            Some(_) => self.remove(tunnel),
            None => {}
        }
        if self.tunnels.len() >= self.limits.tunnels {
            return Err(OpenError::Full);
        }
        if self.pending >= self.limits.pending_tunnels {
            return Err(OpenError::FullOfPending);
        }
        Ok(())
    }

    /// Takes a tunnel off the table and off its source's account.
    fn remove(&mut self, tunnel: TunnelId) {
        let Some(removed) = self.tunnels.remove(&tunnel) else { return };
        if removed.parked.is_some() {
            self.pending = self.pending.saturating_sub(1);
        }
        if let Some(account) = self.accounts.existing(removed.source) {
            account.tunnels = account.tunnels.saturating_sub(1);
        }
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
        self.pending = self.pending.saturating_sub(1);
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
        let there = current == Some(ticket.generation);
        if there {
            self.remove(ticket.tunnel);
        }
        there
    }

    /// How many tunnels the table holds, those that are over and not closed yet included.
    pub fn len(&self) -> usize {
        self.tunnels.len()
    }

    /// How many of them wait to be joined.
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// How many connections there are.
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// How many sources are kept in mind: those that hold something or have asked for something lately.
    pub fn sources(&self) -> usize {
        self.accounts.len()
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
