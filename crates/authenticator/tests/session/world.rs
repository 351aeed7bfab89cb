//! A phone in a simulated air, its tunnel service, and what answers on it.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hybridge_authenticator::{Authenticator, CtapService, DomainId, Error, Progress};
use hybridge_ble::sim::{Air, SimDevice};
use hybridge_proto::service::ServiceRequest;
use hybridge_tunnel::{DialError, Dialed, Dialer, MemoryService};
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::sleep,
};

pub const DOMAIN: DomainId = DomainId::new(266);

pub struct World {
    pub laptop: SimDevice,
    pub phone: SimDevice,
    pub service: MemoryService,
    pub dialer: Arc<ScriptedDialer>,
    /// How many tasks there were before any session.
    tasks: usize,
}

/// A phone that answers in a task of its own.
pub struct Answering {
    pub task: JoinHandle<Result<(), Error>>,
    pub steps: UnboundedReceiver<Progress>,
}

impl World {
    pub fn new() -> Self {
        let air = Air::new(11);
        let service = MemoryService::new();
        let dialer = Arc::new(ScriptedDialer::new(service.clone()));
        Self { laptop: air.device("laptop"), phone: air.device("phone"), service, dialer, tasks: tasks() }
    }

    pub fn authenticator(&self) -> Authenticator {
        Authenticator::new(DOMAIN, Arc::new(self.phone.clone()), self.dialer.clone())
    }

    pub fn answer(&self, code: &str, service: &Scripted) -> Answering {
        self.answer_with(self.authenticator(), code, service)
    }

    pub fn answer_with(&self, mut authenticator: Authenticator, code: &str, service: &Scripted) -> Answering {
        let (code, mut service) = (code.to_owned(), service.clone());
        let (tell, steps) = unbounded_channel();
        let task = tokio::spawn(async move {
            let on_progress = |step| {
                let _ = tell.send(step);
            };
            authenticator.answer_code(&code, &mut service, on_progress).await
        });
        Answering { task, steps }
    }

    /// Within a second of virtual time no radio is on and no task is left of any session.
    pub async fn nothing_is_left(&self) {
        sleep(Duration::from_secs(1)).await;
        assert_eq!((self.laptop.running_scans(), self.phone.live_adverts()), (0, 0), "radios");
        assert_eq!(self.phone.open_connections(), 0, "connections");
        assert_eq!(tasks(), self.tasks, "tasks");
    }
}

impl Answering {
    /// Waits for a step, past others.
    pub async fn until(&mut self, step: Progress) {
        while self.steps.recv().await.unwrap() != step {}
    }

    pub async fn outcome(self) -> Result<(), Error> {
        self.task.await.unwrap()
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// What becomes of one dial.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Refuse(u16),
    Unreachable,
    Hang,
}

/// Answers dials as told, then passes all further ones on.
pub struct ScriptedDialer {
    service: MemoryService,
    answers: Mutex<VecDeque<Answer>>,
    dials: AtomicUsize,
}

impl ScriptedDialer {
    fn new(service: MemoryService) -> Self {
        Self { service, answers: Mutex::default(), dials: AtomicUsize::new(0) }
    }

    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub fn dials(&self) -> usize {
        self.dials.load(Ordering::Relaxed)
    }
}

impl Dialer for ScriptedDialer {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            None => self.service.dial(request).await,
            Some(Answer::Refuse(status)) => Err(DialError::Refused { status, text: String::new() }),
            Some(Answer::Unreachable) => Err(DialError::Connect(io::ErrorKind::ConnectionRefused.into())),
            Some(Answer::Hang) => std::future::pending().await,
        }
    }
}

/// Gives the same reply to each request, or none. Clones are the same service.
#[derive(Clone)]
pub struct Scripted {
    reply: Option<Vec<u8>>,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    infos: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Scripted {
    pub fn replying(reply: impl Into<Vec<u8>>) -> Self {
        Self {
            reply: Some(reply.into()),
            asked: Arc::default(),
            infos: Arc::default(),
            dropped: Arc::default(),
        }
    }

    pub fn silent() -> Self {
        Self { reply: None, ..Self::replying([]) }
    }

    pub fn asked(&self) -> Vec<Vec<u8>> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked for its getInfo.
    pub fn infos(&self) -> usize {
        self.infos.load(Ordering::Relaxed)
    }

    /// How many of its calls were given up.
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Counts when it is dropped.
struct OnDrop(Arc<AtomicUsize>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl CtapService for Scripted {
    async fn get_info(&mut self) -> Vec<u8> {
        self.infos.fetch_add(1, Ordering::Relaxed);
        vec![0xA0]
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        self.asked.lock().unwrap().push(request.to_vec());
        if let Some(reply) = &self.reply {
            return reply.clone();
        }
        let _count = OnDrop(Arc::clone(&self.dropped));
        std::future::pending().await
    }
}
