//! A proxy in front of the service that breaks it in one way.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hybridge_relay::Service;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{authority::Issued, pipe, service};

/// What a proxy does wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Nothing,
    /// Answers every request itself.
    Answers(&'static str),
    /// Takes requests and says nothing.
    Silent,
    /// Closes instead of answering.
    HangsUp,
    /// Puts one text for another in request heads.
    Request(&'static str, &'static str),
    /// Puts one text for another in answer heads.
    Answer(&'static str, &'static str),
    /// Refuses upper-case, or lower-case, hex digits in the path of `/cable/connect`.
    OnlyCase(fn(&str) -> String),
    /// Sends those who join to another machine than those who open.
    OtherMachine,
    /// Passes bytes on in heaps of so many.
    Collects(usize),
    /// Ends connections on messages of 64 KiB and more.
    SmallMessages,
    /// Ends connections that have moved as much as this, and are quiet for a second.
    Impatient(usize),
    /// Ends connections in place of passing a close frame on.
    SwallowsClose,
    /// Answers pings with nothing.
    SwallowsPings,
    /// Changes messages.
    Scribbles,
}

struct Proxy {
    fault: Fault,
    services: [Service; 2],
    acceptor: Option<TlsAcceptor>,
}

/// Starts a proxy before a service of its own; in the background, until the test ends.
pub async fn start(fault: Fault, issued: Option<&Issued>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = Arc::new(Proxy { fault, services: [service(), service()], acceptor: issued.map(acceptor) });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let proxy = Arc::clone(&proxy);
            tokio::spawn(async move { proxy.accepted(stream).await });
        }
    });
    address
}

pub fn acceptor(issued: &Issued) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&issued.certificate).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(&issued.key).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl Proxy {
    async fn accepted(&self, stream: TcpStream) {
        match &self.acceptor {
            None => self.connection(stream).await,
            Some(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    self.connection(stream).await;
                }
            }
        }
    }

    async fn connection(&self, mut down: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(request) = read_head(&mut down).await else { return };
        match self.fault {
            Fault::Answers(answer) => return down.write_all(answer.as_bytes()).await.unwrap_or_default(),
            Fault::Silent => return std::future::pending().await,
            Fault::HangsUp => return,
            _ => {}
        }
        let mut up = pipe(self.service(&request), 16 * 1024);
        up.write_all(self.request(request).as_bytes()).await.unwrap();
        let Some(answer) = read_head(&mut up).await else { return };
        if down.write_all(self.answer(answer).as_bytes()).await.is_err() {
            return;
        }
        let ((down_read, down_write), (up_read, up_write)) = (split(down), split(up));
        tokio::select! {
            () = self.pass(down_read, up_write) => {}
            () = self.pass(up_read, down_write) => {}
        }
    }

    fn service(&self, request: &str) -> &Service {
        let other = matches!(self.fault, Fault::OtherMachine) && request.contains("/cable/connect/");
        &self.services[usize::from(other)]
    }

    fn request(&self, head: String) -> String {
        match self.fault {
            Fault::Request(from, to) => head.replace(from, to),
            Fault::OnlyCase(case) if head.contains("/cable/connect/") => {
                let ids = head.split('/').nth(3).unwrap();
                if ids == case(ids) { head } else { head.replace("/cable/connect/", "/elsewhere/") }
            }
            _ => head,
        }
    }

    fn answer(&self, head: String) -> String {
        match self.fault {
            Fault::Answer(from, to) => {
                assert!(!head.contains(" 101 ") || head.contains(from) || head.contains("Accept"), "{head}");
                head.replace(from, to)
            }
            _ => head,
        }
    }

    /// Moves bytes one way until it ends or the fault ends it.
    async fn pass<R: AsyncRead, W: AsyncWrite>(&self, mut from: ReadHalf<R>, mut to: WriteHalf<W>) {
        let (mut held, mut moved) = (Vec::new(), 0);
        let mut piece = vec![0; 32 * 1024];
        loop {
            let patience = match self.fault {
                Fault::Impatient(after) if moved >= after => Duration::from_secs(1),
                _ => Duration::from_secs(3600),
            };
            let Ok(Ok(read @ 1..)) = timeout(patience, from.read(&mut piece)).await else { return };
            moved += read;
            let bytes = &mut piece[..read];
            match (self.fault, &mut *bytes) {
                // The heads of messages with a length of 8 bytes, masked and not.
                (Fault::SmallMessages, [0x82, 0x7F | 0xFF, ..]) | (Fault::SwallowsClose, [0x88, ..]) => {
                    return;
                }
                (Fault::SwallowsPings, [0x89, ..]) => continue,
                (Fault::Scribbles, [0x82, .., last]) => *last ^= 1,
                _ => {}
            }
            held.extend_from_slice(bytes);
            let enough = if let Fault::Collects(enough) = self.fault { enough } else { 0 };
            if held.len() >= enough {
                if to.write_all(&held).await.is_err() {
                    return;
                }
                let _ = to.flush().await;
                held.clear();
            }
        }
    }
}

/// Byte by byte, so that nothing behind the head is taken.
pub async fn read_head(io: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
