//! Everything that a ceremony takes, in one process: website, laptop, phone, air and tunnel service.
//!
//! ```
//! use hybridge_demo::world::{World, WorldOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut world = World::new(WorldOptions { seed: 7, ..WorldOptions::default() }).await?;
//! world.register("ada").await.laptop?;
//! let signed_in = world.sign_in().await.laptop?;
//! assert_eq!(signed_in.user, "ada");
//! # Ok(())
//! # }
//! ```
//!
//! The parts are public, so that one can be exchanged for another before a ceremony: the laptop's dialer for one that
//! flips bits, the phone's service for one that refuses. More devices come from [`World::laptop`] and
//! [`World::phone`], and [`ceremony`] lets any two of them work together.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::CtapService;
use hybridge_ble::{
    RadioError,
    sim::{Air, AirOptions, Probability},
};
use hybridge_proto::domain::DomainId;
use thiserror::Error;

use crate::{
    ceremony::{self, Outcome},
    chance::Chance,
    journal::Journal,
    laptop::Laptop,
    neighbours::Neighbours,
    owner::{Owner, passkeys_of},
    phone::Phone,
    relying_party::{RelyingPartyError, SignedIn},
    tunnel_service::{SetupError, TunnelService},
    website::Website,
};

/// The tunnel service's domain, one of those whose host follows from the number.
pub const DOMAIN: DomainId = DomainId::new(266);

/// What a world is like. The default is quiet: nothing is lost, nobody else is near, and nobody reads along.
#[derive(Clone)]
pub struct WorldOptions {
    /// Where all randomness of ours comes from. Default: 0.
    pub seed: u64,
    /// How likely the air loses an advert, each time that it is repeated. Default: never.
    pub loss: Probability,
    /// How many other phones in range advertise. Default: none.
    pub phones: usize,
    /// How long laptops look for a phone, and phones wait for a laptop. Default: five seconds.
    pub search: Duration,
    /// Unix seconds to write into codes in place of the real time. Default: the real time.
    pub code_time: Option<u64>,
    /// Takes down what happens. Default: unread.
    pub journal: Journal,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            loss: Probability::NEVER,
            phones: 0,
            search: Laptop::SEARCH,
            code_time: None,
            journal: Journal::unread(),
        }
    }
}

/// Why there is no world.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorldError {
    /// There is no tunnel service.
    #[error(transparent)]
    TunnelService(#[from] SetupError),
    /// There is no website.
    #[error(transparent)]
    Website(#[from] RelyingPartyError),
    /// The neighbours do not advertise.
    #[error(transparent)]
    Radio(#[from] RadioError),
}

/// A world with one laptop and one phone, whose owner agrees to everything.
#[non_exhaustive]
pub struct World {
    /// The air, for more devices and for its trace.
    pub air: Air,
    /// The tunnel service.
    pub tunnel_service: TunnelService,
    /// The website.
    pub website: Website,
    /// The laptop, named "laptop" in the air's trace.
    pub laptop: Laptop,
    /// The phone, named "phone" in the air's trace.
    pub phone: Phone,
    options: WorldOptions,
    _neighbours: Neighbours,
}

impl World {
    /// A world as described. Must be called within a tokio runtime, which runs it.
    ///
    /// # Errors
    /// [`WorldError`].
    pub async fn new(options: WorldOptions) -> Result<Self, WorldError> {
        let chance = Chance::new(options.seed);
        let mut air_options = AirOptions::default();
        air_options.loss = options.loss;
        let air = Air::with_options(options.seed, &air_options);
        let neighbours = Neighbours::advertise(&air, options.phones, chance).await?;
        let mut source = chance.source("tunnel service");
        let tunnel_service = TunnelService::start(DOMAIN, &mut source, options.journal.clone())?;
        let website = Website::new(options.journal.clone())?;
        let laptop = laptop(&options, &air, &tunnel_service, "laptop");
        let phone = phone(&options, &air, &tunnel_service, "phone", passkeys_of(Owner::Agrees));
        Ok(Self { air, tunnel_service, website, laptop, phone, options, _neighbours: neighbours })
    }

    /// One more laptop.
    pub fn laptop(&self, name: &str) -> Laptop {
        laptop(&self.options, &self.air, &self.tunnel_service, name)
    }

    /// One more phone, with this service in it.
    pub fn phone<S: CtapService>(&self, name: &str, service: S) -> Phone<S> {
        phone(&self.options, &self.air, &self.tunnel_service, name, service)
    }

    /// Makes a passkey on the phone for the account of this name; see [`ceremony::register`].
    ///
    /// # Cancel safety
    /// As there.
    pub async fn register(&mut self, user: &str) -> Outcome<()> {
        ceremony::register(&self.website, &mut self.laptop, &mut self.phone, user).await
    }

    /// Signs in with a passkey on the phone; see [`ceremony::sign_in`].
    ///
    /// # Cancel safety
    /// As there.
    pub async fn sign_in(&mut self) -> Outcome<SignedIn> {
        ceremony::sign_in(&self.website, &mut self.laptop, &mut self.phone).await
    }
}

fn laptop(options: &WorldOptions, air: &Air, service: &TunnelService, name: &str) -> Laptop {
    let source = Chance::new(options.seed).source(name);
    let (radio, dialer) = (Arc::new(air.device(name)), Arc::new(service.dialer()));
    let mut laptop = Laptop::new(radio, dialer, source, options.journal.clone());
    laptop.timing.search = options.search;
    laptop.code_time = options.code_time;
    laptop
}

fn phone<S: CtapService>(
    options: &WorldOptions,
    air: &Air,
    service: &TunnelService,
    name: &str,
    passkeys: S,
) -> Phone<S> {
    let source = Chance::new(options.seed).source(name);
    let (radio, dialer) = (Arc::new(air.device(name)), Arc::new(service.dialer()));
    let mut phone = Phone::new(passkeys, service.domain(), radio, dialer, source, options.journal.clone());
    phone.timing.advertise = options.search;
    phone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_passkey_is_made_and_used() {
        let mut world = World::new(WorldOptions::default()).await.unwrap();
        let registered = world.register("ada").await;
        registered.laptop.unwrap();
        registered.phone.unwrap();
        let signed_in = world.sign_in().await;
        assert_eq!(signed_in.laptop.unwrap(), SignedIn { user: "ada".into(), user_verified: true });
        signed_in.phone.unwrap();
        assert_eq!(world.tunnel_service.seen().bytes(), 0, "nobody reads along");
    }
}
