//! Registrations and sign-ins of phones and laptops through the cluster.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use hybridge_demo::world::{World, WorldOptions};
use tokio::task::JoinHandle;

use crate::{cluster::Cluster, timeline::Timeline};

const PHONES: u64 = 6;

/// How ceremonies went.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) done: AtomicUsize,
    /// Those that went well when they were tried once more.
    pub(crate) repeated: AtomicUsize,
}

/// A phone, a laptop and a website, whose devices reach the tunnel service through the proxy.
struct Household {
    world: World,
    user: String,
    tally: Arc<Tally>,
}

impl Household {
    async fn new(cluster: &Cluster, seed: u64, tally: Arc<Tally>) -> Self {
        let mut world = World::new(WorldOptions { seed, ..WorldOptions::default() }).await.unwrap();
        world.laptop.dialer = Arc::new(cluster.dialer());
        world.phone.dialer = Arc::new(cluster.dialer());
        Self { world, user: format!("user-{seed}"), tally }
    }

    /// Makes a passkey, with one more attempt if need be.
    async fn register(&mut self) {
        if let Err(error) = self.world.register(&self.user).await.laptop {
            self.tally.repeated.fetch_add(1, Ordering::Relaxed);
            self.world
                .register(&self.user)
                .await
                .laptop
                .unwrap_or_else(|again| panic!("{error}, then {again}"));
        }
        self.tally.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Signs in, with one more attempt if need be.
    async fn sign_in(&mut self) {
        let signed_in = match self.world.sign_in().await.laptop {
            Ok(signed_in) => signed_in,
            Err(error) => {
                self.tally.repeated.fetch_add(1, Ordering::Relaxed);
                let again = self.world.sign_in().await.laptop;
                again.unwrap_or_else(|again| panic!("{error}, then {again}"))
            }
        };
        assert_eq!(signed_in.user, self.user);
        self.tally.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Each phone registers and signs in once, all at the same time.
pub(crate) async fn check(cluster: &Cluster, timeline: &Timeline) {
    let tally = Arc::new(Tally::default());
    let running = Running::start(cluster, Arc::clone(&tally)).await;
    running.finish().await;
    let (done, repeated) = tally.counts();
    assert_eq!(repeated, 0, "a ceremony failed though nothing happened");
    timeline.tell(format!("{done} ceremonies of {PHONES} phones and laptops went well, none repeated"));
}

impl Tally {
    /// How many went well, and how many of them at the second attempt.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.repeated.load(Ordering::Relaxed))
    }
}

/// Ceremonies that go on, one after the other for each phone.
pub(crate) struct Running {
    last: Arc<AtomicBool>,
    households: Vec<JoinHandle<()>>,
}

impl Running {
    /// Every phone registers, then signs in again and again.
    pub(crate) async fn start(cluster: &Cluster, tally: Arc<Tally>) -> Self {
        let last = Arc::new(AtomicBool::new(false));
        let mut households = Vec::new();
        for seed in 0..PHONES {
            let mut household = Household::new(cluster, seed, Arc::clone(&tally)).await;
            let last = Arc::clone(&last);
            households.push(tokio::spawn(async move {
                household.register().await;
                loop {
                    household.sign_in().await;
                    if last.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }));
        }
        Self { last, households }
    }

    /// Waits for the last ones. Each has to have gone well.
    pub(crate) async fn finish(self) {
        self.last.store(true, Ordering::Relaxed);
        for household in self.households {
            household.await.unwrap();
        }
    }
}
