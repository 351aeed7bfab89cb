//! The laptop's way to the tunnel service, with faults.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use hybridge_proto::service::ServiceRequest;
use hybridge_tunnel::{DialError, Dialed, Dialer, MemoryService};

/// What becomes of one dial.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Pass,
    Refuse(u16),
    Unreachable,
    Hang,
}

/// Answers dials as told, then passes all further ones on.
#[derive(Debug)]
pub struct ScriptedDialer {
    service: MemoryService,
    answers: Mutex<VecDeque<Answer>>,
    dials: AtomicUsize,
}

impl ScriptedDialer {
    pub fn new(service: MemoryService) -> Self {
        Self { service, answers: Mutex::default(), dials: AtomicUsize::new(0) }
    }

    /// Adds answers for the next dials.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// How many dials there were.
    pub fn dials(&self) -> usize {
        self.dials.load(Ordering::Relaxed)
    }
}

impl Dialer for ScriptedDialer {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Pass);
        match answer {
            Answer::Pass => self.service.dial(request).await,
            Answer::Refuse(status) => Err(DialError::Refused { status, text: "So it is.".to_owned() }),
            Answer::Unreachable => Err(DialError::Connect(io::ErrorKind::ConnectionRefused.into())),
            Answer::Hang => std::future::pending().await,
        }
    }
}
