use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const LIMITS: Limits = Limits {
    tunnels: 3,
    pending_tunnels: 3,
    tunnels_per_source: 2,
    connections_per_source: 2,
    new_rate: Rate { per_minute: 6, burst: 2 },
    connect_rate: Rate { per_minute: 12, burst: 3 },
    pending: Duration::from_secs(10),
    lifetime: Duration::from_secs(30),
};
const NOBODY: Source = Source::UNKNOWN;
const ROUTING: RoutingId = RoutingId::from_bytes([1, 2, 3]);

fn tunnel(id: u8) -> TunnelId {
    TunnelId::from_bytes([id; 16])
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_tunnel_is_joined_once() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let opened = table.open((tunnel(1), ROUTING), NOBODY, "parked", start).unwrap();
    assert_eq!(opened.pending_until, start + seconds(10));
    assert_eq!(opened.ends, start + seconds(30));

    let joined = table.join(tunnel(1), ROUTING, start + seconds(9)).unwrap();
    assert_eq!((joined.parked, joined.ends), ("parked", start + seconds(30)));
    assert_eq!(joined.ticket, opened.ticket);
    assert_eq!(table.join(tunnel(1), ROUTING, start + seconds(9)), Err(NoSuchTunnel));
}

#[test]
fn an_id_in_use_is_refused_until_it_is_closed() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let opened = table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    assert_eq!(table.open((tunnel(1), ROUTING), NOBODY, (), start), Err(OpenError::InUse));
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert_eq!(table.open((tunnel(1), ROUTING), NOBODY, (), start), Err(OpenError::InUse));
    assert!(table.close(&opened.ticket));
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
}

#[test]
fn a_wrong_routing_id_leaves_the_tunnel_pending() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    assert_eq!(table.join(tunnel(1), RoutingId::from_bytes([1, 2, 4]), start), Err(NoSuchTunnel));
    table.join(tunnel(1), ROUTING, start).unwrap();
}

#[test]
fn waiting_ends() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    assert_eq!(table.join(tunnel(1), ROUTING, start + seconds(10)), Err(NoSuchTunnel));
}

#[test]
fn joining_extends_the_time_to_the_lifetime_and_no_further() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert_eq!(table.open((tunnel(1), ROUTING), NOBODY, (), start + seconds(29)), Err(OpenError::InUse));
    table.open((tunnel(1), ROUTING), NOBODY, (), start + seconds(30)).unwrap();
}

#[test]
fn a_late_close_spares_the_newer_tunnel_of_the_same_id() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let old = table.open((tunnel(1), ROUTING), NOBODY, "old", start).unwrap();
    let new = table.open((tunnel(1), ROUTING), NOBODY, "new", start + seconds(10)).unwrap();
    assert!(!table.close(&old.ticket));
    assert_eq!(table.join(tunnel(1), ROUTING, start + seconds(11)).unwrap().parked, "new");
    assert!(table.close(&new.ticket));
    assert!(!table.close(&new.ticket));
    assert!(table.is_empty());
}

#[test]
fn a_full_table_refuses() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    for id in 1..=3 {
        table.open((tunnel(id), ROUTING), NOBODY, (), start).unwrap();
    }
    assert_eq!(table.open((tunnel(4), ROUTING), NOBODY, (), start), Err(OpenError::Full));
    table.open((tunnel(1), ROUTING), NOBODY, (), start + seconds(10)).unwrap();
    assert_eq!(table.len(), 3);
}

#[test]
fn endless_times_are_allowed() {
    let limits = Limits { pending: Duration::MAX, lifetime: Duration::MAX, ..LIMITS };
    let start = Instant::now();
    let opened = Rendezvous::new(limits).open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    assert!(opened.ends > start + seconds(60 * 60 * 24 * 365));
}

#[test]
fn debug_shows_no_identifier() {
    let mut table = Rendezvous::new(LIMITS);
    let opened = table.open((tunnel(0xAB), ROUTING), NOBODY, (), Instant::now()).unwrap();
    assert!(!format!("{table:?} {:?}", opened.ticket).to_lowercase().contains("ab"));
}

#[test]
fn tunnels_that_wait_leave_room_for_others() {
    let start = Instant::now();
    let mut table = Rendezvous::new(Limits { pending_tunnels: 1, ..LIMITS });
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    assert_eq!(table.open((tunnel(2), ROUTING), NOBODY, (), start), Err(OpenError::FullOfPending));
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert_eq!((table.pending(), table.len()), (0, 1));
    let waiting = table.open((tunnel(2), ROUTING), NOBODY, (), start).unwrap();
    assert_eq!(table.open((tunnel(3), ROUTING), NOBODY, (), start), Err(OpenError::FullOfPending));
    table.close(&waiting.ticket);
    table.open((tunnel(3), ROUTING), NOBODY, (), start).unwrap();
}

#[test]
fn a_source_holds_so_many_tunnels_and_another_one_has_its_own() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let first = table.open((tunnel(1), ROUTING), source(1), (), start).unwrap();
    table.open((tunnel(2), ROUTING), source(1), (), start).unwrap();
    assert_eq!(table.open((tunnel(3), ROUTING), source(1), (), start), Err(OpenError::SourceFull));
    table.open((tunnel(3), ROUTING), source(2), (), start).unwrap();
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert!(table.close(&first.ticket));
    table.open((tunnel(4), ROUTING), source(1), (), start).unwrap();
}

#[test]
fn a_draining_table_opens_nothing_and_lets_join() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open((tunnel(1), ROUTING), NOBODY, (), start).unwrap();
    table.drain();
    assert!(table.is_draining());
    assert_eq!(table.open((tunnel(2), ROUTING), NOBODY, (), start), Err(OpenError::Draining));
    assert_eq!(table.open((tunnel(1), ROUTING), NOBODY, (), start + seconds(10)), Err(OpenError::Draining));
    table.join(tunnel(1), ROUTING, start).unwrap();
}

#[test]
fn lower_limits_hold_for_what_comes_and_leave_what_is_there() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let opened: Vec<_> =
        (1..=3).map(|id| table.open((tunnel(id), ROUTING), NOBODY, (), start).unwrap()).collect();
    table.set_limits(Limits { tunnels: 1, ..LIMITS });
    table.join(tunnel(1), ROUTING, start).unwrap();
    for opened in &opened[..2] {
        assert_eq!(table.open((tunnel(4), ROUTING), NOBODY, (), start), Err(OpenError::Full));
        assert!(table.close(&opened.ticket));
    }
    assert!(table.close(&opened[2].ticket));
    table.open((tunnel(4), ROUTING), NOBODY, (), start).unwrap();
}

/// What the generated callers do. Tickets and connections are numbered in the order of their issue.
#[derive(Debug, Clone)]
enum Step {
    Open { id: u8, routing: u8, source: u8 },
    Join { id: u8, routing: u8 },
    Close { ticket: usize },
    Arrive { source: u8 },
    Leave { connection: usize },
    Knock { source: u8, door: Door },
    Wait { seconds: u64 },
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..5_u8, 0..2_u8, 0..3_u8)
            .prop_map(|(id, routing, source)| Step::Open { id, routing, source }),
        8 => (0..5_u8, 0..2_u8).prop_map(|(id, routing)| Step::Join { id, routing }),
        6 => (0..20_usize).prop_map(|ticket| Step::Close { ticket }),
        6 => (0..3_u8).prop_map(|source| Step::Arrive { source }),
        4 => (0..20_usize).prop_map(|connection| Step::Leave { connection }),
        4 => (0..3_u8, select(&[Door::New, Door::Connect][..]))
            .prop_map(|(source, door)| Step::Knock { source, door }),
        4 => (0..15_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Drain),
    ]
}

/// The same rules as lists of everything that ever was, searched from the front.
#[derive(Default)]
struct Model {
    history: Vec<Entry>,
    /// Who each connection is of, until it is closed.
    connections: Vec<Option<u8>>,
    /// When a request was let in, of whom, to which door.
    knocks: Vec<(u64, u8, Door)>,
    draining: bool,
}

struct Entry {
    id: u8,
    routing: u8,
    source: u8,
    opened: u64,
    joined: bool,
    closed: bool,
}

impl Entry {
    fn is_over(&self, now: u64) -> bool {
        now >= self.opened + if self.joined { 30 } else { 10 }
    }
}

impl Model {
    fn held(&self) -> impl Iterator<Item = &Entry> {
        self.history.iter().filter(|entry| !entry.closed)
    }

    fn live(&self, id: u8, now: u64) -> Option<usize> {
        self.history.iter().position(|entry| entry.id == id && !entry.closed && !entry.is_over(now))
    }

    fn open(&mut self, id: u8, routing: u8, source: u8, now: u64) -> Result<usize, OpenError> {
        if self.draining {
            return Err(OpenError::Draining);
        }
        if self.live(id, now).is_some() {
            return Err(OpenError::InUse);
        }
        for entry in self.history.iter_mut().filter(|entry| entry.id == id) {
            entry.closed = true;
        }
        if self.held().count() >= LIMITS.tunnels {
            return Err(OpenError::Full);
        }
        if self.held().filter(|entry| !entry.joined).count() >= MODEL_LIMITS.pending_tunnels {
            return Err(OpenError::FullOfPending);
        }
        if source != 0
            && self.held().filter(|entry| entry.source == source).count() >= LIMITS.tunnels_per_source
        {
            return Err(OpenError::SourceFull);
        }
        self.history.push(Entry { id, routing, source, opened: now, joined: false, closed: false });
        Ok(self.history.len() - 1)
    }

    fn join(&mut self, id: u8, routing: u8, now: u64) -> Result<usize, NoSuchTunnel> {
        let index = self.live(id, now).ok_or(NoSuchTunnel)?;
        let entry = &mut self.history[index];
        if entry.joined || entry.routing != routing {
            return Err(NoSuchTunnel);
        }
        entry.joined = true;
        Ok(index)
    }

    fn close(&mut self, index: usize) -> bool {
        !std::mem::replace(&mut self.history[index].closed, true)
    }

    fn arrive(&mut self, source: u8) -> bool {
        let others = self.connections.iter().filter(|other| **other == Some(source)).count();
        let room = source == 0 || others < LIMITS.connections_per_source;
        if room {
            self.connections.push(Some(source));
        }
        room
    }

    /// Counts what has been let in, second by second: one more each 10 or 5 seconds, up to the burst.
    fn knock(&mut self, source: u8, door: Door, now: u64) -> bool {
        let (interval, burst) = match door {
            Door::New => (10, 2),
            Door::Connect => (5, 3),
        };
        let mut saved = interval * burst;
        for second in 0..=now {
            saved = (saved + u64::from(second > 0)).min(interval * burst);
            let knocks = self.knocks.iter().filter(|knock| **knock == (second, source, door)).count();
            saved -= interval * u64::try_from(knocks).unwrap();
        }
        let lets_in = source == 0 || saved >= interval;
        if lets_in && source != 0 {
            self.knocks.push((now, source, door));
        }
        lets_in
    }
}

const MODEL_LIMITS: Limits = Limits { pending_tunnels: 2, ..LIMITS };

fn source(number: u8) -> Source {
    match number {
        0 => NOBODY,
        number => std::net::IpAddr::from([192, 0, 2, number]).into(),
    }
}

/// The table and its model side by side.
struct Both {
    table: Rendezvous<usize>,
    model: Model,
    tickets: Vec<Ticket>,
    start: Instant,
    now: u64,
}

impl Both {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let (now, at) = (self.now, self.start + seconds(self.now));
        let (table, model) = (&mut self.table, &mut self.model);
        match step {
            Step::Open { id, routing, source: from } => {
                let parked = self.tickets.len();
                let ids = (tunnel(id), RoutingId::from_bytes([routing; 3]));
                let answer = table.open(ids, source(from), parked, at);
                let expected = model.open(id, routing, from, now);
                prop_assert_eq!(answer.as_ref().map(|_| parked), expected.as_ref().map(|index| *index));
                self.tickets.extend(answer.map(|opened| opened.ticket));
            }
            Step::Join { id, routing } => {
                let answer = table.join(tunnel(id), RoutingId::from_bytes([routing; 3]), at);
                prop_assert_eq!(answer.map(|joined| joined.parked), model.join(id, routing, now));
            }
            Step::Close { ticket } => {
                if let Some(issued) = self.tickets.get(ticket) {
                    prop_assert_eq!(table.close(issued), model.close(ticket));
                }
            }
            Step::Arrive { source: from } => {
                let expected = model.arrive(from).then_some(source(from)).ok_or(TooManyConnections);
                prop_assert_eq!(table.arrive(source(from), at), expected);
            }
            Step::Leave { connection } => {
                if let Some(from) = model.connections.get_mut(connection).and_then(Option::take) {
                    table.leave(source(from));
                }
            }
            Step::Knock { source: from, door } => {
                prop_assert_eq!(table.knock(source(from), door, at).is_ok(), model.knock(from, door, now));
            }
            Step::Wait { seconds } => self.now += seconds,
            Step::Drain => {
                table.drain();
                model.draining = true;
            }
        }
        Ok(())
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let (table, model) = (&self.table, &self.model);
        prop_assert_eq!(table.len(), model.held().count());
        prop_assert_eq!(table.pending(), model.held().filter(|entry| !entry.joined).count());
        prop_assert_eq!(table.connections(), model.connections.iter().flatten().count());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_model(steps in vec(step(), 0..80)) {
        let table = Rendezvous::new(MODEL_LIMITS);
        let (model, start) = (Model::default(), Instant::now());
        let mut both = Both { table, model, tickets: Vec::new(), start, now: 0 };
        for step in steps {
            both.step(step)?;
            both.agree()?;
        }
    }
}
