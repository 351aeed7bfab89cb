//! Connections to the service: name, TCP, TLS.

use std::{io, net::SocketAddr, time::Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::{
    cause::network as cause,
    report::{Finding, Found, Stepped, fine},
    steps::Check,
};

/// A connection, in the clear or not.
pub(crate) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Check {
    /// The addresses behind the name.
    pub(crate) async fn resolve(&self) -> Stepped<Vec<SocketAddr>> {
        let (host, port) = &self.target.dial;
        let found = match timeout(self.limit, lookup_host((host.as_str(), *port))).await {
            Ok(Ok(found)) => found.collect::<Vec<_>>(),
            Ok(Err(_)) => Vec::new(),
            Err(_) => return Err(Finding::new(&cause::NAME, "the name server does not answer")),
        };
        match found.as_slice() {
            [] => Err(Finding::new(&cause::NAME, format!("{host} is not found"))),
            [one] if one.ip().to_string() == *host => fine(found, "an address, no name to look up"),
            [one] => fine(found.clone(), format!("{host} is {}", one.ip())),
            [one, others @ ..] => {
                fine(found.clone(), format!("{host} is {} and {} more", one.ip(), others.len()))
            }
        }
    }

    /// A TCP connection to the first address that takes one.
    pub(crate) async fn tcp(&self, addresses: &[SocketAddr]) -> Stepped<TcpStream> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            let start = Instant::now();
            match timeout(self.limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    let took = start.elapsed().as_millis();
                    return fine(stream, format!("connected to {address} in {took} ms"));
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(Finding::new(&cause::UNREACHABLE, format!("connecting failed: {}", failure.kind())))
    }

    /// TLS on a connection, where the URL asks for it.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Stepped<Stream> {
        let Some(tls) = &self.tls else {
            return fine(Either::Left(stream), "not used: everything is sent in the clear");
        };
        let address = stream.peer_addr();
        let finding = match timeout(self.limit, tls.secure(stream)).await {
            Ok(Ok(Found { value, text, doubt })) => {
                return Ok(Found { value: Either::Right(Box::new(value)), text, doubt });
            }
            Ok(Err(finding)) => finding,
            Err(_) => Finding::new(&cause::TLS, format!("no handshake within {} s", self.limit.as_secs())),
        };
        match address {
            Ok(address) if *finding.cause == cause::TLS && self.speaks_plain(address).await => {
                Err(Finding::new(&cause::PLAIN_ON_TLS_PORT, "it answers plain HTTP"))
            }
            _ => Err(finding),
        }
    }

    /// Whether a request in the clear is answered.
    async fn speaks_plain(&self, address: SocketAddr) -> bool {
        let asking = async {
            let mut stream = TcpStream::connect(address).await?;
            let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", self.target.authority);
            stream.write_all(request.as_bytes()).await?;
            let mut first = [0; 5];
            stream.read_exact(&mut first).await?;
            Ok::<_, io::Error>(first == *b"HTTP/")
        };
        matches!(timeout(self.limit, asking).await, Ok(Ok(true)))
    }

    /// All of it again, for a further connection.
    pub(crate) async fn connect(&self, addresses: &[SocketAddr]) -> Result<Stream, Finding> {
        let stream = self.tcp(addresses).await?.value;
        Ok(self.secure(stream).await?.value)
    }
}
