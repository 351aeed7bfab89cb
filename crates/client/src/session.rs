//! Sessions: from a code on the screen to a connected phone.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use hybridge_ble::{DynScanner, l2cap::DynL2capConnector};
use hybridge_proto::{
    client::{CallId, ClientConfig, ClientMachine, ClientTiming, Link},
    message::Features,
    packets::Framing,
    qr::Hint,
};
use hybridge_tunnel::DynDialer;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tokio::{runtime::Handle, sync::mpsc};

use crate::{
    channel::CtapChannel,
    driver::{Command, Driver, Notice, Radios, now},
    error::Error,
    progress::Progress,
};

/// What a caller chooses about a session.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionConfig {
    /// What the phone will be asked for.
    pub hint: Hint,
    /// What the phone must be able to do. Default: passkeys.
    pub required: Features,
    /// Whether to show a code. Without one, only the phones in `links` can answer. Default: yes.
    pub show_code: bool,
    /// Remembered phones to call at once.
    pub links: Vec<Link>,
    /// Whether the caller stores the links that [`Progress::Linked`] brings. Default: no, and phones are told so.
    pub accept_linking: bool,
    /// When the code says that it was made, in Unix seconds. Informational: nothing depends on it. Default: the
    /// system's clock; `None` leaves it out.
    pub unix_time: Option<u64>,
    /// The radio to connect to phones with, without a tunnel service between (CTAP 2.3). The code says so then, which
    /// phones from before 2026 may refuse; those that can do neither refuse nor offer it come through the tunnel.
    /// Default: none, so the tunnel.
    pub l2cap: Option<Arc<dyn DynL2capConnector>>,
    /// How the ends of messages are marked on such a connection. The standard is read in two ways, a phone may know only
    /// one of them, and the client speaks first; what the phone answers is understood in either form. A phone that does
    /// not understand hangs up or stays silent, and then it is reached through the tunnel, after at most
    /// [`ClientTiming::handshake`].
    ///
    /// Default: [`Framing::CrLf`], the only form that is known to have been tested with phones (Google Play services on
    /// Android 16). It fails faster, too: a phone that expects a length reads an impossible one, while a phone that
    /// expects CR LF waits for it. Choose [`Framing::Length`] for phones that follow the newer reading of the crate pxp.
    /// This project's phone takes both.
    pub l2cap_framing: Framing,
    /// How long things may take.
    pub timing: ClientTiming,
}

impl SessionConfig {
    /// A code for one request of this kind.
    pub fn new(hint: Hint) -> Self {
        Self {
            hint,
            required: Features::default(),
            show_code: true,
            links: Vec::new(),
            accept_linking: false,
            unix_time: unix_time(),
            l2cap: None,
            l2cap_framing: Framing::default(),
            timing: ClientTiming::default(),
        }
    }

    fn machine_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new(self.hint.clone());
        config.required = self.required;
        config.accept_linking = self.accept_linking;
        config.l2cap = self.l2cap.is_some();
        config.l2cap_framing = self.l2cap_framing;
        config.timing = self.timing;
        config.unix_time = self.unix_time;
        config
    }
}

/// A search for one phone, over a radio and a dialer.
///
/// It runs as a task of its own. Dropping the session (or the channel it becomes) ends it: the radio stops at once,
/// the phone gets a goodbye, and within a second nothing of it is left.
#[must_use = "dropping a session ends it"]
pub struct Session {
    calls: Vec<CallId>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) notices: mpsc::UnboundedReceiver<Notice>,
}

impl Session {
    /// Starts listening, then shows a code and calls the remembered phones, on the current tokio runtime.
    ///
    /// A radio that cannot be used is an error of [`Session::connect`], before any code is shown.
    ///
    /// # Errors
    /// [`Error::Link`] for a link to a tunnel service without a known host, [`Error::NoRuntime`] or
    /// [`Error::Randomness`].
    pub fn start(
        config: SessionConfig,
        radio: Arc<dyn DynScanner>,
        dialer: Arc<dyn DynDialer>,
    ) -> Result<Self, Error> {
        let rng = ChaCha20Rng::try_from_rng(&mut getrandom::SysRng).map_err(|_| Error::Randomness)?;
        Self::dangerous_start_with_rng(config, radio, dialer, Box::new(rng))
    }

    /// Like [`Session::start`], with all randomness from this generator: for simulations that are to be repeated.
    /// Whoever can predict it can join the session.
    ///
    /// # Errors
    /// [`Error::Link`] or [`Error::NoRuntime`].
    pub fn dangerous_start_with_rng(
        config: SessionConfig,
        radio: Arc<dyn DynScanner>,
        dialer: Arc<dyn DynDialer>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, Error> {
        let (machine_config, now) = (config.machine_config(), now());
        let mut machine = if config.show_code {
            ClientMachine::with_code(machine_config, rng, now)
        } else {
            ClientMachine::without_code(machine_config, rng, now)
        };
        let mut calls = Vec::new();
        for link in config.links {
            calls.extend(machine.call(now, link)?);
        }
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let (commands, ordered) = mpsc::channel(1);
        let (tell, notices) = mpsc::unbounded_channel();
        let radios = Radios { scanner: radio, connector: config.l2cap };
        runtime.spawn(Driver::new(machine, calls.clone(), radios, dialer, ordered, tell).run());
        Ok(Self { calls, commands, notices })
    }

    /// The calls to the remembered phones, in the order of [`SessionConfig::links`]: which link is meant when the
    /// progress names a call.
    pub fn calls(&self) -> &[CallId] {
        &self.calls
    }

    /// Resolves when nothing is left of the session, the goodbye to the phone included: at most a second after the
    /// session, or the channel that it became, has been dropped or has failed.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn over(&self) -> impl Future<Output = ()> + Send + 'static {
        let commands = self.commands.clone();
        async move { commands.closed().await }
    }

    /// Waits for a phone to connect, and tells meanwhile what happens. The same function hears what happens later
    /// on the channel.
    ///
    /// # Errors
    /// [`Error`]: no radio, nobody scanned, the tunnel service unknown or refusing, the handshake failed …
    ///
    /// # Cancel safety
    /// Dropping the future ends the session.
    pub async fn connect(
        mut self,
        on_progress: impl FnMut(Progress) + Send + 'static,
    ) -> Result<CtapChannel, Error> {
        let mut on_progress: Box<dyn FnMut(Progress) + Send> = Box::new(on_progress);
        loop {
            match self.notices.recv().await {
                Some(Notice::Progress(progress)) => on_progress(progress),
                Some(Notice::Connected { get_info, features }) => {
                    return Ok(CtapChannel::new(self, get_info, features, on_progress));
                }
                Some(Notice::Reply(..)) => {}
                Some(Notice::Over(Err(error))) => return Err(error),
                Some(Notice::Over(Ok(()))) | None => return Err(Error::Cancelled),
            }
        }
    }
}

/// The system's clock, if it is past 1969.
fn unix_time() -> Option<u64> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// How long a request may take if the caller does not say otherwise: its owner has to find and unlock the phone.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("calls", &self.calls).finish_non_exhaustive()
    }
}
