//! Phones: whoever can answer a request.

use std::{fmt, future::Future, sync::Arc};

use hybridge_ble::{DynScanner, RadioError, l2cap::DynL2capConnector};
use hybridge_client::{Error, Framing, Hint, Progress, Session, SessionConfig};
use hybridge_tunnel::DynDialer;
use tokio::sync::mpsc;

use crate::{ctap::Operation, key::PhoneRequest};

/// Asks phones.
pub trait PhoneBackend: Send {
    /// Asks a phone, tells meanwhile what happens, and gives its reply: a status byte and CBOR.
    ///
    /// # Errors
    /// Any [`enum@Error`]. A status other than success is no error.
    ///
    /// # Cancel safety
    /// Dropping the future must end the session with the phone.
    fn ask(
        &mut self,
        request: PhoneRequest,
        tell: mpsc::UnboundedSender<Progress>,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send + 'static;
}

/// What a session does over Bluetooth.
#[derive(Clone)]
#[non_exhaustive]
pub struct Radios {
    /// Hears phones.
    pub scanner: Arc<dyn DynScanner>,
    /// Connects to phones, if that is to be offered.
    pub connector: Option<Arc<dyn DynL2capConnector>>,
    /// How messages end on such a connection.
    pub framing: Framing,
}

impl Radios {
    /// A radio that hears phones.
    pub fn new(scanner: Arc<dyn DynScanner>) -> Self {
        Self { scanner, connector: None, framing: Framing::default() }
    }
}

impl fmt::Debug for Radios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Radios").field("connector", &self.connector.is_some()).finish_non_exhaustive()
    }
}

/// Phones nearby, by a code. Each request is a session of its own, for which the radio is opened anew: it may have been
/// switched on since, and while nobody asks, none is held.
pub struct HybridPhone<O> {
    open: O,
    dialer: Arc<dyn DynDialer>,
}

impl<O, F> HybridPhone<O>
where
    O: FnMut() -> F + Send,
    F: Future<Output = Result<Radios, RadioError>> + Send + 'static,
{
    /// `open` gives the radios for a session.
    pub fn new(open: O, dialer: Arc<dyn DynDialer>) -> Self {
        Self { open, dialer }
    }
}

impl<O, F> PhoneBackend for HybridPhone<O>
where
    O: FnMut() -> F + Send,
    F: Future<Output = Result<Radios, RadioError>> + Send + 'static,
{
    fn ask(
        &mut self,
        request: PhoneRequest,
        tell: mpsc::UnboundedSender<Progress>,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send + 'static {
        let (opening, dialer) = ((self.open)(), Arc::clone(&self.dialer));
        async move {
            let Radios { scanner, connector, framing } = opening.await?;
            let mut config = SessionConfig::new(match request.operation {
                Operation::Create => Hint::MakeCredential,
                Operation::Get => Hint::GetAssertion,
            });
            config.l2cap = connector;
            config.l2cap_framing = framing;
            let session = Session::start(config, scanner, dialer)?;
            // Fails only when nobody looks any more.
            let mut phone = session.connect(move |progress| drop(tell.send(progress))).await?;
            phone.raw(&request.message).await
            // The session says goodbye by itself, and the program does not wait for that.
        }
    }
}

impl<O> fmt::Debug for HybridPhone<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HybridPhone").finish_non_exhaustive()
    }
}
