//! Reaching a tunnel service, one stage after the other, so that the one that fails is known.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use hybridge_proto::{
    domain::DomainId,
    ids::{RoutingId, TunnelId},
    service::{ServicePath, ServiceRequest},
};
use hybridge_tunnel::{Connect, ConnectError, DialError, TcpConnect, WebSocketDialer};
use tokio::{net::lookup_host, time::timeout};

use super::super::facts::{Reached, Stage, Tunnel};
use crate::args::HostAndPort;

/// How long each stage may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The port of tunnel services.
const PORT: u16 = 443;

/// Looks at the service of an ID, whose name is `host`. Where there is another address for it, that is looked at.
pub(super) async fn tunnel(
    id: DomainId,
    host: String,
    dialer: WebSocketDialer,
    address: Option<HostAndPort>,
) -> Tunnel {
    let reached = reach(id, &host, dialer, address).await;
    Tunnel { host, reached: reached.unwrap_or_else(|failed| failed) }
}

/// What was reached, either way.
async fn reach(
    id: DomainId,
    host: &str,
    mut dialer: WebSocketDialer,
    address: Option<HostAndPort>,
) -> Result<Reached, Reached> {
    let is_elsewhere = address.is_some();
    let place = address.unwrap_or_else(|| HostAndPort { host: host.to_owned(), port: PORT });
    let first = resolve(&place).await?;
    connect(&place).await?;
    if is_elsewhere {
        dialer = dialer.with_address(first);
    }
    let (routing, tunnel) = (RoutingId::from_bytes([0; _]), TunnelId::from_bytes([0; _]));
    // Nobody has opened this tunnel, so none comes of it.
    let request = ServiceRequest::new(id, ServicePath::Connect { routing, tunnel });
    let request = request.map_err(|error| Reached::Strange(error.to_string()))?;
    let look = dialer.with_timeout(PATIENCE).look(&request).await.map_err(failure)?;
    let date = look.date.and_then(|date| httpdate::parse_http_date(&date).ok());
    Ok(Reached::Answered { status: look.status, date, at: SystemTime::now() })
}

async fn resolve(place: &HostAndPort) -> Result<SocketAddr, Reached> {
    let found = timeout(PATIENCE, lookup_host((place.host.as_str(), place.port))).await;
    let mut found = found.map_err(|_| late(Stage::Name))?.map_err(|error| Reached::NoName(words(&error)))?;
    found.next().ok_or_else(|| Reached::NoName("there is no address for it".to_owned()))
}

async fn connect(place: &HostAndPort) -> Result<(), Reached> {
    match timeout(PATIENCE, TcpConnect.connect(&place.host, place.port)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(ConnectError::Resolve(error))) => Err(Reached::NoName(words(&error))),
        Ok(Err(ConnectError::Connect(error))) => Err(Reached::NoConnection(words(&error))),
        Ok(Err(error)) => Err(Reached::NoConnection(words(&error))),
        Err(_) => Err(late(Stage::Connection)),
    }
}

const fn late(stage: Stage) -> Reached {
    Reached::TimedOut { stage }
}

fn failure(error: DialError) -> Reached {
    if let Some(fault) = error.certificate_fault() {
        return Reached::BadCertificate(fault);
    }
    match error {
        DialError::Resolve(error) => Reached::NoName(words(&error)),
        DialError::Connect(error) => Reached::NoConnection(words(&error)),
        // Plain HTTP, or anything else that is no TLS.
        DialError::Tls(error) if error.kind() == io::ErrorKind::InvalidData => {
            Reached::Strange(words(&error))
        }
        DialError::Tls(error) => Reached::NoTls(words(&error)),
        DialError::TimedOut { .. } => late(Stage::Answer),
        DialError::Broken(error) => Reached::Strange(words(&error)),
        error => Reached::Strange(words(&error)),
    }
}

/// The reason in one line, as it comes from the system or a library.
fn words(error: &(dyn Error + 'static)) -> String {
    error.to_string().replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    fn id() -> (DomainId, String) {
        let id = DomainId::new(266);
        (id, id.host().unwrap())
    }

    async fn reached_at(address: HostAndPort) -> Reached {
        let (id, host) = id();
        tunnel(id, host, WebSocketDialer::new(), Some(address)).await.reached
    }

    /// What is reached where every connection is answered with these bytes.
    async fn answering(bytes: &'static [u8]) -> Reached {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(bytes).await;
            }
        });
        reached_at(HostAndPort { host: "127.0.0.1".to_owned(), port }).await
    }

    #[tokio::test]
    async fn a_closed_port_is_no_connection() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let reached = reached_at(HostAndPort { host: "127.0.0.1".to_owned(), port }).await;
        assert!(matches!(reached, Reached::NoConnection(_)), "{reached:?}");
    }

    #[tokio::test]
    async fn a_name_of_nobody_is_no_name() {
        // A part of more than 63 letters: no name server has to be asked.
        let host = format!("{}.invalid", "a".repeat(64));
        let reached = reached_at(HostAndPort { host, port: 443 }).await;
        assert!(matches!(reached, Reached::NoName(_)), "{reached:?}");
    }

    #[tokio::test]
    async fn what_speaks_no_tls_is_strange() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b""] {
            let reached = answering(bytes).await;
            assert!(matches!(reached, Reached::Strange(_) | Reached::NoTls(_)), "{reached:?}");
        }
    }
}
