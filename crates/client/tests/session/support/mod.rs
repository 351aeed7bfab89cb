//! A laptop and a phone in a simulated air, with a tunnel service in memory.

mod dialer;
mod link;
mod phone;
mod puppet;
mod screen;

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::{Authenticator, CtapService, DomainId};
use hybridge_ble::sim::{Air, SimDevice};
use hybridge_client::{CtapChannel, Error, Hint, Session, SessionConfig};
use hybridge_tunnel::MemoryService;
use tokio::{runtime::Handle, task::JoinHandle, time::sleep};

pub use self::{
    dialer::{Answer, ScriptedDialer},
    link::{LINK_SECRET, identity, link, link_info, link_offer},
    phone::{Owner, Passkeys, Scripted, assertion, creation, passkeys},
    puppet::{Puppet, forged},
    screen::Screen,
};

/// A tunnel service whose host follows from its ID.
pub const DOMAIN: DomainId = DomainId::new(266);

/// How long a session may take to leave nothing behind.
const A_SECOND: Duration = Duration::from_secs(1);

pub struct World {
    pub air: Air,
    pub laptop: SimDevice,
    pub phone: SimDevice,
    pub service: MemoryService,
    /// The laptop's way to the service.
    pub dialer: Arc<ScriptedDialer>,
    /// How many tasks there were before any session.
    tasks: usize,
}

/// A phone that answers in a task of its own, and gives its service back.
pub type Answering<S> = JoinHandle<(S, Result<(), hybridge_authenticator::Error>)>;

impl World {
    pub fn new() -> Self {
        Self::in_air(Air::new(7))
    }

    pub fn in_air(air: Air) -> Self {
        let (laptop, phone) = (air.device("laptop"), air.device("phone"));
        let service = MemoryService::new();
        let dialer = Arc::new(ScriptedDialer::new(service.clone()));
        Self { air, laptop, phone, service, dialer, tasks: tasks() }
    }

    /// Takes another tunnel service, for both sides.
    pub fn use_service(&mut self, service: MemoryService) {
        self.dialer = Arc::new(ScriptedDialer::new(service.clone()));
        self.service = service;
    }

    /// A session as most callers start it.
    pub fn session(&self) -> Session {
        self.session_with(SessionConfig::new(Hint::GetAssertion))
    }

    pub fn session_with(&self, config: SessionConfig) -> Session {
        Session::start(config, Arc::new(self.laptop.clone()), self.dialer.clone()).unwrap()
    }

    /// A session that waits for its phone in a task.
    pub fn connecting(&self, config: SessionConfig) -> (JoinHandle<Result<CtapChannel, Error>>, Screen) {
        let screen = Screen::default();
        (tokio::spawn(self.session_with(config).connect(screen.watch())), screen)
    }

    pub fn authenticator(&self) -> Authenticator {
        Authenticator::new(DOMAIN, Arc::new(self.phone.clone()), Arc::new(self.service.clone()))
    }

    pub fn answer<S: CtapService + 'static>(&self, code: String, service: S) -> Answering<S> {
        Self::answer_with(self.authenticator(), code, service)
    }

    pub fn answer_with<S: CtapService + 'static>(
        mut authenticator: Authenticator,
        code: String,
        mut service: S,
    ) -> Answering<S> {
        tokio::spawn(async move {
            let outcome = authenticator.answer_code(&code, &mut service, |_| {}).await;
            (service, outcome)
        })
    }

    /// A laptop connected to a phone with this service.
    pub async fn connected<S: CtapService + 'static>(
        &self,
        config: SessionConfig,
        service: S,
    ) -> (CtapChannel, Answering<S>, Screen) {
        let (connecting, screen) = self.connecting(config);
        let phone = self.answer(screen.code(0).await, service);
        (connecting.await.unwrap().unwrap(), phone, screen)
    }

    /// A laptop connected to a phone that does nothing by itself.
    pub async fn connected_to_puppet(&self, config: SessionConfig) -> (CtapChannel, Puppet, Screen) {
        let (connecting, screen) = self.connecting(config);
        let mut puppet = Puppet::answer(self, &screen.code(0).await).await;
        puppet.connect().await;
        (connecting.await.unwrap().unwrap(), puppet, screen)
    }

    /// Within a second of virtual time no radio is on and no task is left of any session.
    pub async fn nothing_is_left(&self) {
        sleep(A_SECOND).await;
        assert_eq!((self.laptop.running_scans(), self.phone.live_adverts()), (0, 0), "radios");
        assert_eq!((self.laptop.open_connections(), self.phone.open_connections()), (0, 0), "connections");
        assert_eq!(tasks(), self.tasks, "tasks");
    }
}

pub fn config() -> SessionConfig {
    SessionConfig::new(Hint::GetAssertion)
}

pub fn linking_config() -> SessionConfig {
    let mut config = config();
    config.accept_linking = true;
    config
}

/// Lets everything happen that needs no time.
pub async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}
