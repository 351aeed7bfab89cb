//! An honest phone, whose steps an attack can watch and see fail.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

pub(super) use hybridge_authenticator::Error as PhoneError;
use hybridge_authenticator::{
    Authenticator, AuthenticatorError, AuthenticatorTiming, CtapService, DomainId, IncomingCall, LinkOffer,
    Progress,
};
use hybridge_ble::sim::SimDevice;
use hybridge_proto::handshake::HandshakeError;
use rand_core::CryptoRng;
use tokio::{sync::mpsc, task::JoinHandle};
use zeroize::Zeroizing;

use super::{
    failure::{Failure, Setup},
    locked,
    network::Directory,
    report::Refusal,
    scene::{Ledger, SERVICE},
};
use crate::owner::Passkeys;

/// How long each step may take unless an attack is about just that.
const PATIENCE: Duration = Duration::from_secs(4);

/// A phone before it has seen a code.
pub(super) struct Phone {
    pub(super) domain: DomainId,
    pub(super) timing: AuthenticatorTiming,
    pub(super) linking: Option<LinkOffer>,
    pub(super) directory: Directory,
    over_bluetooth: bool,
    radio: SimDevice,
    witness: Witness,
    /// Where its passkeys go after the session.
    drawer: Drawer,
    rng: Box<dyn CryptoRng + Send>,
}

/// Passkeys that are in no phone just now.
pub(super) type Drawer = Arc<Mutex<Option<Passkeys>>>;

/// A phone that answers a code or call.
pub(super) struct Answering {
    pub(super) radio: SimDevice,
    progress: mpsc::UnboundedReceiver<Progress>,
    drawer: Drawer,
    task: JoinHandle<(Result<(), PhoneError>, Witness)>,
}

/// How it ended on the phone.
pub(super) struct Ended {
    pub(super) result: Result<(), PhoneError>,
    /// How many requests reached its passkeys.
    pub(super) asked: usize,
}

/// Passkeys that remember what they were asked.
struct Witness {
    passkeys: Passkeys,
    asked: usize,
    /// Whether its owner looks at each request for ever.
    undecided: bool,
    ledger: Ledger,
}

impl CtapService for Witness {
    async fn get_info(&mut self) -> Vec<u8> {
        self.passkeys.get_info().await
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        self.asked = self.asked.saturating_add(1);
        self.ledger.asks(request);
        if self.undecided {
            std::future::pending::<()>().await;
        }
        self.passkeys.call(request).await
    }
}

impl Phone {
    pub(super) fn new(
        radio: SimDevice,
        directory: Directory,
        (passkeys, drawer): (Passkeys, Drawer),
        rng: Box<dyn CryptoRng + Send>,
        ledger: Ledger,
    ) -> Self {
        let mut timing = AuthenticatorTiming::default();
        timing.connect = PATIENCE;
        timing.advertise = PATIENCE;
        timing.idle = PATIENCE;
        let witness = Witness { passkeys, asked: 0, undecided: false, ledger };
        Self {
            domain: SERVICE,
            timing,
            linking: None,
            directory,
            over_bluetooth: false,
            radio,
            witness,
            drawer,
            rng,
        }
    }

    /// Offers laptops to be connected to over Bluetooth.
    pub(super) fn over_bluetooth(mut self) -> Self {
        self.over_bluetooth = true;
        self
    }

    /// Goes to another place.
    pub(super) fn at(self, place: &str) -> Self {
        self.radio.move_to([place]);
        self
    }

    /// Advertises for this long only.
    pub(super) fn advertising(mut self, advertise: Duration) -> Self {
        self.timing.advertise = advertise;
        self
    }

    /// Uses this tunnel service.
    pub(super) fn dialing(mut self, domain: DomainId, directory: Directory) -> Self {
        self.domain = domain;
        self.directory = directory;
        self
    }

    /// Is in the hands of somebody who never answers a request.
    pub(super) fn undecided(mut self) -> Self {
        self.witness.undecided = true;
        self
    }

    /// Answers the code with this text.
    pub(super) fn answer(self, code: Zeroizing<String>) -> Answering {
        let (radio, drawer) = (self.radio.clone(), Arc::clone(&self.drawer));
        let (mut authenticator, mut witness) = self.into_parts();
        let (tell, progress) = mpsc::unbounded_channel();
        // Fails only when nobody looks any more.
        let on_progress = move |progress| tell.send(progress).unwrap_or_default();
        let task = tokio::spawn(async move {
            let result = authenticator.answer_code(&code, &mut witness, on_progress).await;
            (result, witness)
        });
        Answering { radio, progress, drawer, task }
    }

    /// Answers the call of a laptop that remembers this phone.
    pub(super) fn answer_call(self, call: IncomingCall) -> Answering {
        let (radio, drawer) = (self.radio.clone(), Arc::clone(&self.drawer));
        let (mut authenticator, mut witness) = self.into_parts();
        let (tell, progress) = mpsc::unbounded_channel();
        // Fails only when nobody looks any more.
        let on_progress = move |progress| tell.send(progress).unwrap_or_default();
        let task = tokio::spawn(async move {
            let result = authenticator.answer_call(call, &mut witness, on_progress).await;
            (result, witness)
        });
        Answering { radio, progress, drawer, task }
    }

    fn into_parts(self) -> (Authenticator, Witness) {
        let (radio, dialer) = (Arc::new(self.radio), Arc::new(self.directory));
        let mut authenticator = Authenticator::new(self.domain, radio.clone(), dialer);
        if self.over_bluetooth {
            authenticator.l2cap = Some(radio);
        }
        authenticator.timing = self.timing;
        authenticator.linking = self.linking;
        authenticator.dangerous_set_rng(self.rng);
        (authenticator, self.witness)
    }
}

impl Answering {
    /// Waits until the phone tells this.
    pub(super) async fn until(&mut self, wanted: Progress) -> Result<(), Setup> {
        while self.progress.recv().await.ok_or("the phone's session ended early")? != wanted {}
        Ok(())
    }

    /// Waits for the end.
    pub(super) async fn end(mut self) -> Result<Ended, Setup> {
        let (result, witness) = (&mut self.task).await?;
        *locked(&self.drawer) = Some(witness.passkeys);
        Ok(Ended { result, asked: witness.asked })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ended {
    /// Checks that nothing was wrong.
    pub(super) fn satisfied(self) -> Result<(), Failure> {
        self.result.map_err(|error| Failure::Setup(error.into()))
    }

    /// The error that it ended with, provided that its passkeys were never asked.
    pub(super) fn refusal(self) -> Result<Refusal, Failure> {
        match self.asked {
            0 => self.late_refusal(),
            asked => Err(Failure::Succeeded(format!("the phone's passkeys were asked {asked} times"))),
        }
    }

    /// As [`Self::refusal`], where nothing but this may be wrong with the handshake.
    pub(super) fn failed_handshake(self, expected: HandshakeError) -> Result<Refusal, Failure> {
        match self.refusal()? {
            found @ Refusal::Phone(PhoneError::Handshake(AuthenticatorError::Handshake(error)))
                if error == expected =>
            {
                Ok(found)
            }
            found => Err(Failure::otherwise(&format!("{expected:?}"), &found)),
        }
    }

    /// As [`Self::refusal`], where nothing but this breach of the protocol may have ended the session.
    pub(super) fn broken_protocol(self, expected: AuthenticatorError) -> Result<Refusal, Failure> {
        match self.refusal()? {
            found @ Refusal::Phone(PhoneError::Protocol(error)) if error == expected => Ok(found),
            found => Err(Failure::otherwise(&format!("{expected:?}"), &found)),
        }
    }

    /// The error that it ended with, whether or not it was asked rightful things before.
    pub(super) fn late_refusal(self) -> Result<Refusal, Failure> {
        match self.result {
            Ok(()) => Err(Failure::Succeeded("the phone noticed nothing".to_owned())),
            Err(error) => Ok(Refusal::Phone(error)),
        }
    }
}
