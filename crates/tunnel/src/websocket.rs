//! Dialing a tunnel service: connection, TLS, upgrade, redirects.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use hybridge_proto::service::{SIGNAL_HEADER, ServicePath, ServiceRequest};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use url::Url;

use crate::{
    channel,
    connect::{BoxStream, Connect, ConnectError, DynConnect, Rerouted, TcpConnect},
    dial::{Dialed, Dialer},
    error::{DialError, NotLoopback, NotTunnelService, RedirectRefused, RootError},
    look::Look,
    redirect, request,
    response::{Response, first_line},
    tls::{self, Tls},
};

/// The time for a whole dial, unless set otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most redirects in a row.
const MAX_REDIRECTS: usize = 5;
/// The largest head of an answer in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How many bytes of a refusal's body are read at most.
const MAX_BODY: usize = 1024;
/// How long to wait for the body of a refusal: it is a courtesy.
const BODY_TIME: Duration = Duration::from_millis(500);

/// Opens websockets to tunnel services over TLS (CTAP 2.2 section 11.5.1).
///
/// The server's certificate must be valid for the host by the platform's roots or those added with
/// [`WebSocketDialer::with_extra_roots`]. Requests hold the subprotocol, `Origin: wss://<host>` and the extra
/// headers of the [`ServiceRequest`]; compression is not offered. Up to five redirects are followed, to `wss`
/// only, with the same headers. Messages are limited to 1 MiB.
///
/// ```no_run
/// # use hybridge_tunnel::{Dialer, WebSocketDialer, DialError};
/// # async fn dial(request: hybridge_proto::service::ServiceRequest) -> Result<(), DialError> {
/// let mut dialed = WebSocketDialer::new().dial(&request).await?;
/// let first = dialed.channel.receive().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebSocketDialer {
    connector: Arc<dyn DynConnect>,
    security: Security,
    timeout: Duration,
}

#[derive(Clone)]
enum Security {
    Tls(Arc<Tls>),
    Plaintext(SocketAddr),
}

/// What an answer led to.
enum Attempt {
    Open(Dialed),
    Redirect(Url),
}

impl WebSocketDialer {
    /// A dialer over TCP with the platform's roots and 10 s for a dial.
    pub fn new() -> Self {
        Self { connector: Arc::new(TcpConnect), security: Security::Tls(Arc::default()), timeout: TIMEOUT }
    }

    /// Allows this much time for a dial: name resolution, connection, TLS, answer and redirects together.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Gets its byte streams from this connector. TLS runs on top of them.
    #[must_use]
    pub fn with_connector(mut self, connector: impl Connect + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Connects to this address, whatever the host. The certificate is still checked for the host, and the
    /// `Host` header stays.
    #[must_use]
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        self.connector = Arc::new(Rerouted::every_host(self.connector, address));
        self
    }

    /// Like [`WebSocketDialer::with_address`], for this host only.
    #[must_use]
    pub fn with_address_for(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.connector = Arc::new(Rerouted::one_host(self.connector, host, address));
        self
    }

    /// Trusts these certificates as roots, beside those trusted already. No effect on plaintext.
    ///
    /// # Errors
    /// [`RootError`] when one of them cannot be a root.
    pub fn with_extra_roots(
        mut self,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, RootError> {
        if let Security::Tls(tls) = &self.security {
            self.security = Security::Tls(Arc::new(tls.with_roots(roots)?));
        }
        Ok(self)
    }

    /// Like [`WebSocketDialer::with_extra_roots`], for all certificates in a PEM text.
    ///
    /// # Errors
    /// [`RootError`] when the text is malformed, holds no certificate, or one that cannot be a root.
    pub fn with_extra_roots_pem(self, pem: &[u8]) -> Result<Self, RootError> {
        self.with_extra_roots(tls::parse_pem(pem)?)
    }

    /// Speaks plaintext over TCP to this address, whatever the host, and follows no redirect. For a tunnel
    /// service on the same machine, in tests and demonstrations: nothing then proves that the service is the
    /// host's, and a link may be lost to a false 410.
    ///
    /// # Errors
    /// [`NotLoopback`] for any address of another machine.
    pub fn dangerous_plaintext_loopback(mut self, address: SocketAddr) -> Result<Self, NotLoopback> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(NotLoopback);
        }
        self.security = Security::Plaintext(address);
        Ok(self)
    }

    async fn follow(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        let mut url = request::url(request)?;
        for _ in 0..=MAX_REDIRECTS {
            match self.attempt(&url, request).await? {
                Attempt::Open(dialed) => return Ok(dialed),
                Attempt::Redirect(target) => url = target,
            }
            tracing::debug!("following a redirect");
        }
        Err(RedirectRefused::TooMany.into())
    }

    /// Looks whether the service can be reached: sends the request, reads the head of the answer, and hangs up. Follows no
    /// redirect. Ask for a tunnel that is not there, so that none is opened.
    ///
    /// # Errors
    /// [`DialError`] when there was no answer. One that refuses is an answer.
    ///
    /// # Cancel safety
    /// Dropping the future hangs up.
    pub async fn look(&self, request: &ServiceRequest) -> Result<Look, DialError> {
        let looking = async {
            let (_, response, _) = self.ask(&request::url(request)?, request, &generate_key()).await?;
            Ok(Look::new(&response))
        };
        timeout(self.timeout, looking).await.unwrap_or(Err(DialError::TimedOut { after: self.timeout }))
    }

    /// Sends a request to a fresh connection. Returns the connection, the answer, and what was read behind it.
    async fn ask(
        &self,
        url: &Url,
        request: &ServiceRequest,
        key: &str,
    ) -> Result<(BoxStream, Response, Vec<u8>), DialError> {
        let head = request::head(url, key, &request.headers)?;
        let mut io = self.open(url).await?;
        io.write_all(&head).await.map_err(DialError::Broken)?;
        io.flush().await.map_err(DialError::Broken)?;
        let (response, early) = read_response(&mut io).await?;
        Ok((io, response, early))
    }

    async fn attempt(&self, url: &Url, request: &ServiceRequest) -> Result<Attempt, DialError> {
        let key = generate_key();
        let (mut io, response, early) = self.ask(url, request, &key).await?;
        let status = response.status();
        tracing::debug!(status, "tunnel service answered");
        if redirect::is_redirect(status) {
            return self.redirect(url, &response).map(Attempt::Redirect);
        }
        if status == 410 && matches!(request.path, ServicePath::Contact { .. }) {
            return Err(DialError::Gone);
        }
        if status >= 400 {
            let text = read_text(&mut io, early, response.body_length()).await;
            return Err(DialError::Refused { status, text });
        }
        response.check_upgrade(&derive_accept_key(key.as_bytes()))?;
        let asked = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(SIGNAL_HEADER));
        Ok(Attempt::Open(Dialed {
            channel: channel::open(io, early).await,
            routing_id: response.routing_id(),
            signal: asked && response.has_signal(),
        }))
    }

    fn redirect(&self, url: &Url, response: &Response) -> Result<Url, DialError> {
        match self.security {
            Security::Tls(_) => Ok(redirect::target(url, response.location()?)?),
            Security::Plaintext(_) => Err(RedirectRefused::Plaintext.into()),
        }
    }

    /// A byte stream to the URL's host, ready for the request.
    async fn open(&self, url: &Url) -> Result<BoxStream, DialError> {
        let (host, port) = request::host_and_port(url)?;
        match &self.security {
            Security::Tls(tls) => {
                let stream = self.connector.connect_dyn(&host, port).await?;
                tls.secure(stream, &host).await
            }
            Security::Plaintext(address) => {
                Ok(TcpConnect.connect(&address.ip().to_string(), address.port()).await?)
            }
        }
    }
}

impl Dialer for WebSocketDialer {
    #[tracing::instrument(level = "debug", skip_all)]
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        let dialing = timeout(self.timeout, self.follow(request)).await;
        dialing.unwrap_or(Err(DialError::TimedOut { after: self.timeout }))
    }
}

impl Default for WebSocketDialer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WebSocketDialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plaintext = matches!(self.security, Security::Plaintext(_));
        f.debug_struct("WebSocketDialer")
            .field("timeout", &self.timeout)
            .field("plaintext", &plaintext)
            .finish_non_exhaustive()
    }
}

impl From<ConnectError> for DialError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Resolve(source) => Self::Resolve(source),
            ConnectError::Connect(source) => Self::Connect(source),
        }
    }
}

/// Reads the answer's head, and what was read behind it. Interim answers (1xx) are skipped.
async fn read_response(io: &mut BoxStream) -> Result<(Response, Vec<u8>), DialError> {
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    loop {
        while let Some((response, length)) = Response::parse(&bytes)? {
            let rest = bytes.split_off(length);
            if !(100..200).contains(&response.status()) || response.status() == 101 {
                return Ok((response, rest));
            }
            bytes = rest;
        }
        if total >= MAX_HEAD {
            return Err(NotTunnelService::HeadTooLarge.into());
        }
        let read = io.read_buf(&mut bytes).await.map_err(DialError::Broken)?;
        if read == 0 {
            return Err(DialError::Broken(std::io::ErrorKind::UnexpectedEof.into()));
        }
        total = total.saturating_add(read);
    }
}

/// The first line of a refusal's body, as far as it arrives in time.
async fn read_text(io: &mut BoxStream, mut body: Vec<u8>, length: u64) -> String {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_BODY);
    let reading = async {
        while body.len() < length
            && !body.contains(&b'\n')
            && io.read_buf(&mut body).await.is_ok_and(|n| n > 0)
        {}
    };
    let _ = timeout(BODY_TIME, reading).await;
    first_line(body.get(..length).unwrap_or(&body))
}
