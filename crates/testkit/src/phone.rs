//! A phone that does what a test tells it: approve, refuse, wait, take a while, pick an account, lose its radio.
//!
//! It advertises over a simulated air, keeps its passkeys in memory and answers codes of real and simulated computers.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use hybridge_authenticator::{DomainId, tunnel::MemoryService};
//! use hybridge_ble::sim::Air;
//! use hybridge_testkit::phone::{Answer, ScriptedPhone};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let air = Air::new(1);
//! let service = Arc::new(MemoryService::new());
//! let phone = ScriptedPhone::new(air.device("phone"), DomainId::new(266), service);
//! phone.set_answer(Answer::Refuse);
//! phone.set_delay(Duration::from_secs(2));
//! // The code that the computer shows; this one is none.
//! assert!(phone.answer("https://example.com").await.is_err());
//! # }
//! ```

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use data_encoding::BASE64URL_NOPAD;
use hybridge_authenticator::{
    Authenticator, DomainId, Error, Progress,
    passkey::{ExclusionGuard, InMemoryPasskeys, PasskeyService},
};
use hybridge_ble::sim::{Adapter, SimDevice};
use hybridge_tunnel::DynDialer;
use passkey_authenticator::Authenticator as Passkeys;
use passkey_crypto::AvailableBackend;
use passkey_types::ctap2::Aaguid;
use serde::Serialize;
use tokio::{sync::watch, task::JoinSet};

mod owner;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    owner::{Answer, NoQuestion},
    state::{PhoneState, PhoneStatus, Question},
};
use self::{
    owner::{Owner, Script},
    store::Accounts,
};

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PasskeyEntry {
    /// The website it is for.
    pub rp_id: String,
    /// The account's name, if the website gave one.
    pub user_name: Option<String>,
    /// The account's name for people, if the website gave one.
    pub user_display_name: Option<String>,
    /// Its identifier as base64url, as websites write it.
    pub credential_id: String,
}

/// A phone in a simulated air that follows a script. Its methods may be called while it answers a code. Dropping it
/// hangs up.
pub struct ScriptedPhone {
    shared: Arc<Shared>,
    radio: SimDevice,
    domain: DomainId,
    dialer: Arc<dyn DynDialer>,
    /// The session that [`scan`](Self::scan) began; dropping it hangs up.
    session: Mutex<JoinSet<()>>,
}

/// What the phone's parts have in common.
struct Shared {
    script: Mutex<Script>,
    status: watch::Sender<PhoneStatus>,
    passkeys: tokio::sync::Mutex<InMemoryPasskeys>,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the phone is doing, unless a later session does something else already.
    fn tell(&self, session: u64, state: PhoneState) {
        self.status.send_if_modified(|status| {
            let current = status.session == session;
            if current {
                status.state = state;
            }
            current
        });
    }
}

impl ScriptedPhone {
    /// A phone without passkeys that approves everything at once. It advertises with `radio` and reaches the tunnel
    /// service of `domain` with `dialer`.
    pub fn new(radio: SimDevice, domain: DomainId, dialer: Arc<dyn DynDialer>) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(Script::default()),
            status: watch::Sender::new(PhoneStatus::default()),
            passkeys: tokio::sync::Mutex::new(InMemoryPasskeys::new()),
        });
        Self { shared, radio, domain, dialer, session: Mutex::new(JoinSet::new()) }
    }

    /// What it answers from now on, unless it is told otherwise while a question is open.
    pub fn set_answer(&self, answer: Answer) {
        self.shared.script().answer = answer;
    }

    /// How long it thinks before it answers. Not at all by default.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.script().delay = delay;
    }

    /// Signs in with the account of this name, or display name, alone; a website that has no passkey of it here is
    /// told that there is none. By default, the newest passkey is used.
    pub fn set_account(&self, account: Option<String>) {
        self.shared.script().account = account;
    }

    /// Answers the question that is open with yes.
    ///
    /// # Errors
    /// [`NoQuestion`].
    pub fn approve(&self) -> Result<(), NoQuestion> {
        self.shared.script().decide(true)
    }

    /// Answers the question that is open with no.
    ///
    /// # Errors
    /// [`NoQuestion`].
    pub fn refuse(&self) -> Result<(), NoQuestion> {
        self.shared.script().decide(false)
    }

    /// Switches its Bluetooth on or off, now. An advert on the air ends, and what is connected stays so.
    pub fn set_radio(&self, on: bool) {
        self.radio.set_adapter(if on { Adapter::Working } else { Adapter::PoweredOff });
    }

    /// Its passkeys, the oldest first.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn passkeys(&self) -> Vec<PasskeyEntry> {
        let passkeys = self.shared.passkeys.lock().await;
        let entry = |passkey: &passkey_types::Passkey| PasskeyEntry {
            rp_id: passkey.rp_id.clone(),
            user_name: passkey.username.clone(),
            user_display_name: passkey.user_display_name.clone(),
            credential_id: BASE64URL_NOPAD.encode(&passkey.credential_id),
        };
        passkeys.iter().map(entry).collect()
    }

    /// Forgets all passkeys.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn forget_passkeys(&self) {
        *self.shared.passkeys.lock().await = InMemoryPasskeys::new();
    }

    /// What it is doing.
    pub fn status(&self) -> PhoneStatus {
        self.shared.status.borrow().clone()
    }

    /// Waits until it does something that `wanted` agrees to, and gives that.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn wait_for(&self, wanted: impl FnMut(&PhoneStatus) -> bool) -> PhoneStatus {
        let mut changes = self.shared.status.subscribe();
        match changes.wait_for(wanted).await {
            Ok(status) => status.clone(),
            // The sender is held by `self`.
            Err(_) => self.status(),
        }
    }

    /// Begins to answer the code with this text, and gives the number of the session, for
    /// [`wait_for`](Self::wait_for). A session that was going on before is hung up. Must be called within a tokio
    /// runtime.
    pub fn scan(&self, code: &str) -> u64 {
        // First, so that of two codes at once the one with the later number is answered.
        let mut running = self.session_slot();
        let number = self.begin();
        let (session, code) = (self.session(number), code.to_owned());
        running.abort_all();
        while running.try_join_next().is_some() {}
        running.spawn(async move { drop(session.run(&code).await) });
        number
    }

    /// Hangs up, if it is answering a code.
    pub fn hang_up(&self) {
        let mut running = self.session_slot();
        running.abort_all();
        while running.try_join_next().is_some() {}
        let session = self.status().session;
        self.shared.status.send_if_modified(|status| {
            let answering = status.session == session && status.state.is_running();
            if answering {
                status.state = PhoneState::Failed { reason: "the phone was told to hang up".to_owned() };
            }
            answering
        });
    }

    /// Answers the code with this text until the computer is done.
    ///
    /// # Errors
    /// [`enum@Error`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the advert and hangs up.
    pub async fn answer(&self, code: &str) -> Result<(), Error> {
        self.session(self.begin()).run(code).await
    }

    fn begin(&self) -> u64 {
        let mut number = 0;
        self.shared.status.send_modify(|status| {
            status.session = status.session.saturating_add(1);
            status.state = PhoneState::Connecting;
            number = status.session;
        });
        number
    }

    fn session(&self, number: u64) -> Session {
        let authenticator =
            Authenticator::new(self.domain, Arc::new(self.radio.clone()), Arc::clone(&self.dialer));
        Session { authenticator, shared: Arc::clone(&self.shared), number }
    }

    fn session_slot(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answering of one code.
struct Session {
    authenticator: Authenticator,
    shared: Arc<Shared>,
    number: u64,
}

impl Session {
    async fn run(mut self, code: &str) -> Result<(), Error> {
        let (shared, number) = (&self.shared, self.number);
        let owner = ExclusionGuard::new(Owner { shared: Arc::clone(shared), session: number });
        let store = Accounts(Arc::clone(shared));
        let passkeys = Passkeys::new(Aaguid::new_empty(), store, owner, AvailableBackend);
        let mut service = PasskeyService::new(passkeys);
        let mut last = None;
        let tell = |progress| {
            if let Progress::Replied { status } = progress {
                last = Some(status);
            }
            if let Some(state) = PhoneState::of(&progress) {
                shared.tell(number, state);
            }
        };
        let outcome = self.authenticator.answer_code(code, &mut service, tell).await;
        let state = match &outcome {
            Ok(()) => PhoneState::Finished { status: last },
            Err(error) => PhoneState::Failed { reason: error.to_string() },
        };
        shared.tell(number, state);
        outcome
    }
}

impl fmt::Debug for ScriptedPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedPhone").field("status", &self.status()).finish_non_exhaustive()
    }
}
