//! The seam below the websocket: how a byte stream to a host comes about.
//!
//! A [`Connect`] gets the host and port of the URL and returns any byte stream. TLS, where it is used, runs on
//! top and checks the certificate for the URL's host, wherever the connector went.

use std::{
    collections::VecDeque, fmt, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::sleep,
};

/// How long one address may take before the next is tried beside it (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Anything that a connection's bytes travel over.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A byte stream of any kind.
pub type BoxStream = Box<dyn ByteStream>;

/// Why there is no byte stream to a host.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host's name was not found.
    #[error("the host name was not found; check the network connection")]
    Resolve(#[source] io::Error),
    /// None of the host's addresses answered.
    #[error("the host does not answer; check the network connection")]
    Connect(#[source] io::Error),
}

/// Makes byte streams to hosts.
pub trait Connect: Send + Sync {
    /// Connects to a host, which is a name, an IPv4 address or an IPv6 address without brackets.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Cancel safety
    /// Dropping the future gives up the attempt.
    fn connect(&self, host: &str, port: u16) -> impl Future<Output = Result<BoxStream, ConnectError>> + Send;
}

/// The boxed future of [`DynConnect`].
pub type ConnectFuture<'a> = Pin<Box<dyn Future<Output = Result<BoxStream, ConnectError>> + Send + 'a>>;

/// [`Connect`] for storage as `Arc<dyn DynConnect>`. Implemented by every connector, and itself one.
pub trait DynConnect: Send + Sync {
    /// See [`Connect::connect`].
    fn connect_dyn<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a>;
}

impl<T: Connect> DynConnect for T {
    fn connect_dyn<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(self.connect(host, port))
    }
}

impl Connect for dyn DynConnect {
    async fn connect(&self, host: &str, port: u16) -> Result<BoxStream, ConnectError> {
        self.connect_dyn(host, port).await
    }
}

impl<T: Connect + ?Sized> Connect for Arc<T> {
    async fn connect(&self, host: &str, port: u16) -> Result<BoxStream, ConnectError> {
        (**self).connect(host, port).await
    }
}

/// TCP through the system's resolver. All addresses of a host are tried, the two families in turn and 250 ms
/// apart, and the first that answers wins (RFC 8305). Small messages leave at once (`TCP_NODELAY`).
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnect;

impl Connect for TcpConnect {
    async fn connect(&self, host: &str, port: u16) -> Result<BoxStream, ConnectError> {
        Ok(Box::new(tcp(host, port).await?))
    }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let addresses: Vec<_> = lookup_host((host, port)).await.map_err(ConnectError::Resolve)?.collect();
    if addresses.is_empty() {
        return Err(ConnectError::Resolve(io::ErrorKind::NotFound.into()));
    }
    let stream = race(addresses, TcpStream::connect).await.map_err(ConnectError::Connect)?;
    stream.set_nodelay(true).map_err(ConnectError::Connect)?;
    Ok(stream)
}

/// Tries addresses in turn, each a moment after the one before, and returns the first success or last failure.
async fn race<S, F>(addresses: Vec<SocketAddr>, dial: impl Fn(SocketAddr) -> F) -> io::Result<S>
where
    F: Future<Output = io::Result<S>>,
{
    let mut queue = alternate(addresses);
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::ErrorKind::NotFound.into();
    loop {
        attempts.extend(queue.pop_front().map(&dial));
        tokio::select! {
            biased;
            outcome = attempts.next() => match outcome {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => failure = error,
                None => return Err(failure),
            },
            () = sleep(STAGGER), if !queue.is_empty() => {}
        }
    }
}

/// The addresses with the two families in turn, beginning with the resolver's first choice.
fn alternate(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut other = other.into_iter();
    let mut mixed: VecDeque<_> =
        preferred.into_iter().flat_map(|address| std::iter::once(address).chain(other.next())).collect();
    mixed.extend(other);
    mixed
}

/// Goes to another address for one host or for every host, by way of another connector.
#[derive(Debug, Clone)]
pub struct Rerouted<C> {
    inner: C,
    host: Option<String>,
    address: SocketAddr,
}

impl<C> Rerouted<C> {
    /// Goes to `address`, whatever the host.
    pub const fn every_host(inner: C, address: SocketAddr) -> Self {
        Self { inner, host: None, address }
    }

    /// Goes to `address` for this host, compared without case; other hosts are left to `inner`.
    pub fn one_host(inner: C, host: impl Into<String>, address: SocketAddr) -> Self {
        Self { inner, host: Some(host.into()), address }
    }
}

impl<C: Connect> Connect for Rerouted<C> {
    async fn connect(&self, host: &str, port: u16) -> Result<BoxStream, ConnectError> {
        if self.host.as_ref().is_some_and(|only| !only.eq_ignore_ascii_case(host)) {
            return self.inner.connect(host, port).await;
        }
        self.inner.connect(&self.address.ip().to_string(), self.address.port()).await
    }
}

/// A connector made of a function; see [`connect_fn`].
#[derive(Clone)]
pub struct ConnectFn<F>(F);

/// A connector that calls `function` with host and port: for in-memory streams and simulated networks.
///
/// ```
/// # use hybridge_tunnel::{WebSocketDialer, connect_fn};
/// let dialer = WebSocketDialer::new().with_connector(connect_fn(|_host, _port| async {
///     let (ours, _theirs) = tokio::io::duplex(64 * 1024);
///     Ok(ours)
/// }));
/// ```
pub const fn connect_fn<F, R, S>(function: F) -> ConnectFn<F>
where
    F: Fn(String, u16) -> R + Send + Sync,
    R: Future<Output = io::Result<S>> + Send,
    S: ByteStream + 'static,
{
    ConnectFn(function)
}

impl<F, R, S> Connect for ConnectFn<F>
where
    F: Fn(String, u16) -> R + Send + Sync,
    R: Future<Output = io::Result<S>> + Send,
    S: ByteStream + 'static,
{
    async fn connect(&self, host: &str, port: u16) -> Result<BoxStream, ConnectError> {
        let stream = (self.0)(host.to_owned(), port).await.map_err(ConnectError::Connect)?;
        Ok(Box::new(stream))
    }
}

impl<F> fmt::Debug for ConnectFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectFn(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_alternate_from_the_resolvers_first_choice() {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(address).to_vec();
        assert_eq!(alternate(given), ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"].map(address));
        let given = ["1.1.1.1:1", "[::1]:1", "[::2]:1"].map(address).to_vec();
        assert_eq!(alternate(given), ["1.1.1.1:1", "[::1]:1", "[::2]:1"].map(address));
        assert!(alternate(Vec::new()).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_a_quarter_second_and_a_failing_one_nothing() {
        let start = Instant::now();
        let addresses = ["1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1"].map(address).to_vec();
        let won = race(addresses, |address| async move {
            match address.ip().to_string().as_str() {
                "1.0.0.1" => std::future::pending().await,
                "1.0.0.2" => Err(io::ErrorKind::ConnectionRefused.into()),
                _ => Ok(address),
            }
        })
        .await
        .unwrap();
        assert_eq!(won, address("1.0.0.3:1"));
        assert_eq!(start.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_may_still_win() {
        let addresses = ["1.0.0.1:1", "1.0.0.2:1"].map(address).to_vec();
        let won = race(addresses, |address| async move {
            let late = if address.ip().to_string() == "1.0.0.1" { 300 } else { 100 };
            sleep(Duration::from_millis(late)).await;
            Ok(address)
        });
        assert_eq!(won.await.unwrap(), address("1.0.0.1:1"));
    }

    #[tokio::test]
    async fn the_last_failure_is_reported_when_all_fail() {
        let error = race(vec![address("1.0.0.1:1")], |_| async {
            Err::<(), _>(io::ErrorKind::ConnectionRefused.into())
        });
        assert_eq!(error.await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn hosts_are_rerouted_one_or_all() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let inner = {
            let asked = Arc::clone(&asked);
            Arc::new(connect_fn(move |host, port| {
                asked.lock().unwrap().push(format!("{host} {port}"));
                async { Ok(tokio::io::duplex(1).0) }
            }))
        };
        let one = Rerouted::one_host(Arc::clone(&inner), "Cable.Example.com", address("[::1]:7"));
        one.connect("cable.example.COM", 443).await.unwrap();
        one.connect("other.example.com", 443).await.unwrap();
        Rerouted::every_host(inner, address("127.0.0.1:8")).connect("a", 443).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), ["::1 7", "other.example.com 443", "127.0.0.1 8"]);
    }

    #[tokio::test]
    async fn small_messages_leave_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = tcp("127.0.0.1", listener.local_addr().unwrap().port()).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_closed_port_is_a_connect_error() {
        let port = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        assert!(matches!(TcpConnect.connect("127.0.0.1", port).await, Err(ConnectError::Connect(_))));
    }
}
