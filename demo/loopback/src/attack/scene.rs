//! What an attack happens in: a website with one account, its owner's phone, an air, the real tunnel service, and as
//! many more devices as the attack needs. And what must not have happened when it is over.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use hybridge_ble::sim::{Air, SimDevice};
use hybridge_proto::domain::DomainId;
use rand_core::CryptoRng;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    failure::{Failure, Setup},
    laptop::Laptop,
    locked,
    network::Directory,
    phone::{Drawer, Phone},
};
use crate::{
    chance::Chance,
    journal::{Entry, Event, Journal},
    owner::Passkeys,
    tunnel_service::TunnelService,
    website::{Website, WebsiteEvent},
    world::{World, WorldOptions},
};

/// Whose account it is.
pub(super) const OWNER: &str = "ada";
/// Where the owner is, and everybody who is near.
pub(super) const HOME: &str = "home";
/// Where nobody hears what is said at home.
pub(super) const ELSEWHERE: &str = "elsewhere";
/// The tunnel service of honest phones.
pub(super) const SERVICE: DomainId = crate::world::DOMAIN;
/// Another tunnel service, for those who bring their own.
pub(super) const OTHER_SERVICE: DomainId = DomainId::new(300);

/// The scene of one attack.
pub(super) struct Scene {
    pub(super) air: Air,
    pub(super) service: TunnelService,
    pub(super) website: Website,
    chance: Chance,
    sessions: AtomicU64,
    owner: Drawer,
    visits: Mutex<UnboundedReceiver<Entry>>,
    ledger: Ledger,
}

/// Who did what. Clones are the same ledger.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    did: Arc<Mutex<Vec<String>>>,
    /// What honest phones may be asked.
    rightful: Arc<Mutex<Vec<Rightful>>>,
    /// What reached the services of honest phones.
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// What makes a request a rightful one.
enum Rightful {
    /// It asks for a signature of this hash, which an honest laptop wants.
    ToSign(Vec<u8>),
    /// It is this request, to which a laptop is entitled by its own code.
    Exactly(Vec<u8>),
}

impl Rightful {
    fn covers(&self, request: &[u8]) -> bool {
        match self {
            Self::ToSign(hash) => request.windows(hash.len().max(1)).any(|window| window == hash),
            Self::Exactly(whole) => request == whole,
        }
    }
}

impl Ledger {
    /// An honest laptop is about to ask for a signature of this hash.
    pub(super) fn wants(&self, hash: &[u8]) {
        locked(&self.rightful).push(Rightful::ToSign(hash.to_vec()));
    }

    pub(super) fn asks(&self, request: &[u8]) {
        locked(&self.asked).push(request.to_vec());
    }

    fn foreign_requests(&self) -> usize {
        let (rightful, asked) = (locked(&self.rightful), locked(&self.asked));
        asked.iter().filter(|request| !rightful.iter().any(|rightful| rightful.covers(request))).count()
    }
}

impl Scene {
    /// Sets the scene: the owner has made a passkey, over the whole transport.
    pub(super) async fn set(seed: u64) -> Result<Self, Setup> {
        let (journal, mut visits) = Journal::begin();
        let mut world = World::new(WorldOptions { seed, journal, ..WorldOptions::default() }).await?;
        let registered = world.register(OWNER).await;
        registered.laptop?;
        registered.phone?;
        while visits.try_recv().is_ok() {}
        let World { air, tunnel_service, website, phone, .. } = world;
        Ok(Self {
            air,
            service: tunnel_service,
            website,
            chance: Chance::new(seed),
            sessions: AtomicU64::new(0),
            owner: Arc::new(Mutex::new(Some(phone.service))),
            visits: Mutex::new(visits),
            ledger: Ledger::default(),
        })
    }

    /// The passkeys of somebody who has an account of the same name at another site with the same ID.
    pub(super) async fn strangers_passkeys(&self) -> Result<Passkeys, Setup> {
        let mut world = World::new(WorldOptions::default()).await?;
        world.register(OWNER).await.laptop?;
        Ok(world.phone.service)
    }

    /// A laptop at home, which reaches the real tunnel service.
    pub(super) fn laptop(&self) -> Result<Laptop, Setup> {
        self.laptop_at(HOME, "laptop")
    }

    /// A laptop at some place.
    pub(super) fn laptop_at(&self, place: &str, name: &str) -> Result<Laptop, Setup> {
        let radio = self.device(place, name);
        Ok(Laptop::new(radio, self.directory()?, self.website.clone(), self.rng(name), self.ledger.clone()))
    }

    /// The owner's phone, at home. There is one at a time.
    pub(super) fn phone(&self) -> Result<Phone, Setup> {
        self.phone_with("phone", (self.owners_passkeys()?, Arc::clone(&self.owner)))
    }

    /// The owner's passkeys, to be put into a phone.
    pub(super) fn owners_passkeys(&self) -> Result<Passkeys, Setup> {
        Ok(locked(&self.owner).take().ok_or("the owner has one phone")?)
    }

    /// A phone at home with these passkeys.
    pub(super) fn phone_of(&self, name: &str, passkeys: Passkeys) -> Result<Phone, Setup> {
        self.phone_with(name, (passkeys, Drawer::default()))
    }

    fn phone_with(&self, name: &str, passkeys: (Passkeys, Drawer)) -> Result<Phone, Setup> {
        let radio = self.device(HOME, name);
        Ok(Phone::new(radio, self.directory()?, passkeys, self.rng(name), self.ledger.clone()))
    }

    /// Ways to the real tunnel service and nowhere else.
    pub(super) fn directory(&self) -> Result<Directory, Setup> {
        Directory::of([(SERVICE, Arc::new(self.service.dialer()))])
    }

    /// A radio at some place.
    pub(super) fn device(&self, place: &str, name: &str) -> SimDevice {
        self.air.device_in(name, [place])
    }

    /// Randomness for one session of somebody: the same in each run, and another for each session.
    pub(super) fn rng(&self, name: &str) -> Box<dyn CryptoRng + Send> {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.chance.source(&format!("{name} in session {session}")).draw()
    }

    /// Takes down what the attacker does.
    pub(super) fn did(&self, step: impl Into<String>) {
        locked(&self.ledger.did).push(step.into());
    }

    /// Lets a request pass to which an attacker is entitled.
    pub(super) fn permit(&self, request: &[u8]) {
        locked(&self.ledger.rightful).push(Rightful::Exactly(request.to_vec()));
    }

    /// What the attacker did.
    pub(super) fn deeds(&self) -> Vec<String> {
        locked(&self.ledger.did).clone()
    }

    /// What must hold after every attack: no phone was asked for what no honest laptop wanted, and nobody signed in
    /// but the owner. Says whether the owner did.
    pub(super) fn damage(&self) -> Result<bool, Failure> {
        let foreign = self.ledger.foreign_requests();
        if foreign > 0 {
            return Err(Failure::Succeeded(format!(
                "a phone was asked for {foreign} requests of a stranger"
            )));
        }
        let mut visits = locked(&self.visits);
        let mut signed_in = false;
        while let Ok(entry) = visits.try_recv() {
            if let Event::Website(WebsiteEvent::SignedIn(visitor)) = entry.event {
                if visitor.user != OWNER {
                    return Err(Failure::Succeeded(format!("{} signed in", visitor.user)));
                }
                signed_in = true;
            }
        }
        Ok(signed_in)
    }
}
