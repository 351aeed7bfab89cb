use proptest::{collection::vec, prelude::*};

use super::*;

const LIMITS: Limits =
    Limits { tunnels: 3, pending: Duration::from_secs(10), lifetime: Duration::from_secs(30) };
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
    let opened = table.open(tunnel(1), ROUTING, "parked", start).unwrap();
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
    let opened = table.open(tunnel(1), ROUTING, (), start).unwrap();
    assert_eq!(table.open(tunnel(1), ROUTING, (), start), Err(OpenError::InUse));
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert_eq!(table.open(tunnel(1), ROUTING, (), start), Err(OpenError::InUse));
    assert!(table.close(&opened.ticket));
    table.open(tunnel(1), ROUTING, (), start).unwrap();
}

#[test]
fn a_wrong_routing_id_leaves_the_tunnel_pending() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open(tunnel(1), ROUTING, (), start).unwrap();
    assert_eq!(table.join(tunnel(1), RoutingId::from_bytes([1, 2, 4]), start), Err(NoSuchTunnel));
    table.join(tunnel(1), ROUTING, start).unwrap();
}

#[test]
fn waiting_ends() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open(tunnel(1), ROUTING, (), start).unwrap();
    assert_eq!(table.join(tunnel(1), ROUTING, start + seconds(10)), Err(NoSuchTunnel));
}

#[test]
fn joining_extends_the_time_to_the_lifetime_and_no_further() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    table.open(tunnel(1), ROUTING, (), start).unwrap();
    table.join(tunnel(1), ROUTING, start).unwrap();
    assert_eq!(table.open(tunnel(1), ROUTING, (), start + seconds(29)), Err(OpenError::InUse));
    table.open(tunnel(1), ROUTING, (), start + seconds(30)).unwrap();
}

#[test]
fn a_late_close_spares_the_newer_tunnel_of_the_same_id() {
    let start = Instant::now();
    let mut table = Rendezvous::new(LIMITS);
    let old = table.open(tunnel(1), ROUTING, "old", start).unwrap();
    let new = table.open(tunnel(1), ROUTING, "new", start + seconds(10)).unwrap();
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
        table.open(tunnel(id), ROUTING, (), start).unwrap();
    }
    assert_eq!(table.open(tunnel(4), ROUTING, (), start), Err(OpenError::Full));
    table.open(tunnel(1), ROUTING, (), start + seconds(10)).unwrap();
    assert_eq!(table.len(), 3);
}

#[test]
fn endless_times_are_allowed() {
    let limits = Limits { tunnels: 1, pending: Duration::MAX, lifetime: Duration::MAX };
    let start = Instant::now();
    let opened = Rendezvous::new(limits).open(tunnel(1), ROUTING, (), start).unwrap();
    assert!(opened.ends > start + seconds(60 * 60 * 24 * 365));
}

#[test]
fn debug_shows_no_identifier() {
    let mut table = Rendezvous::new(LIMITS);
    let opened = table.open(tunnel(0xAB), ROUTING, (), Instant::now()).unwrap();
    assert!(!format!("{table:?} {:?}", opened.ticket).to_lowercase().contains("ab"));
}

/// What the generated callers do. Tickets are numbered in the order of their issue.
#[derive(Debug, Clone)]
enum Step {
    Open { id: u8, routing: u8 },
    Join { id: u8, routing: u8 },
    Close { ticket: usize },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8, 0..2_u8).prop_map(|(id, routing)| Step::Open { id, routing }),
        4 => (0..5_u8, 0..2_u8).prop_map(|(id, routing)| Step::Join { id, routing }),
        3 => (0..20_usize).prop_map(|ticket| Step::Close { ticket }),
        2 => (0..15_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// The same rules as a list of every tunnel that ever was, searched from the front.
#[derive(Default)]
struct Model {
    history: Vec<Entry>,
}

struct Entry {
    id: u8,
    routing: u8,
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
    fn live(&self, id: u8, now: u64) -> Option<usize> {
        self.history.iter().position(|entry| entry.id == id && !entry.closed && !entry.is_over(now))
    }

    fn open(&mut self, id: u8, routing: u8, now: u64) -> Result<usize, OpenError> {
        if self.live(id, now).is_some() {
            return Err(OpenError::InUse);
        }
        let held: Vec<_> = self.history.iter().filter(|entry| !entry.closed).collect();
        if held.len() >= LIMITS.tunnels && held.iter().all(|entry| entry.id != id) {
            return Err(OpenError::Full);
        }
        for entry in self.history.iter_mut().filter(|entry| entry.id == id) {
            entry.closed = true;
        }
        self.history.push(Entry { id, routing, opened: now, joined: false, closed: false });
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
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_model(steps in vec(step(), 0..60)) {
        let start = Instant::now();
        let mut now = 0;
        let (mut table, mut model) = (Rendezvous::new(LIMITS), Model::default());
        let mut tickets = Vec::new();
        for step in steps {
            let at = start + seconds(now);
            match step {
                Step::Open { id, routing } => {
                    let parked = tickets.len();
                    let answer = table.open(tunnel(id), RoutingId::from_bytes([routing; 3]), parked, at);
                    let expected = model.open(id, routing, now);
                    prop_assert_eq!(answer.as_ref().map(|_| parked), expected.as_ref().map(|index| *index));
                    tickets.extend(answer.map(|opened| opened.ticket));
                }
                Step::Join { id, routing } => {
                    let answer = table.join(tunnel(id), RoutingId::from_bytes([routing; 3]), at);
                    prop_assert_eq!(answer.map(|joined| joined.parked), model.join(id, routing, now));
                }
                Step::Close { ticket } => {
                    if let Some(issued) = tickets.get(ticket) {
                        prop_assert_eq!(table.close(issued), model.close(ticket));
                    }
                }
                Step::Wait { seconds } => now += seconds,
            }
            prop_assert_eq!(table.len(), model.history.iter().filter(|entry| !entry.closed).count());
        }
    }
}
