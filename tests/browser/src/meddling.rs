//! A tunnel service that breaks a rule towards clients.

use std::io;

use hybridge_relay::Service;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, duplex, split};

/// What is wrong with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    /// It does not say that it speaks `fido.cable`.
    NoSubprotocol,
    /// The first message is a text message.
    TextMessage,
}

/// How many bytes may be between the service and the meddler.
const BUFFER: usize = 1 << 16;

/// The most that a request's or response's head has here.
const HEAD: usize = 1 << 12;

/// Serves a connection, and meddles if it is a client's.
pub(crate) async fn serve(
    service: &Service,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    meddling: Meddling,
) {
    let (near, far) = duplex(BUFFER);
    // An end of either side is the end of both; that there is an error in it is as good as any end.
    let (_, _) = tokio::join!(service.serve_stream(far), pass(stream, near, meddling));
}

async fn pass(
    stream: impl AsyncRead + AsyncWrite,
    service: impl AsyncRead + AsyncWrite,
    meddling: Meddling,
) -> io::Result<()> {
    let (mut from_visitor, mut to_visitor) = split(stream);
    let (mut from_service, mut to_service) = split(service);
    let request = head(&mut from_visitor).await?;
    to_service.write_all(&request).await?;
    let up = async {
        copy(&mut from_visitor, &mut to_service).await?;
        to_service.shutdown().await
    };
    let down = async {
        if request.starts_with(b"GET /cable/connect/") {
            meddle(&mut from_service, &mut to_visitor, meddling).await?;
        }
        copy(&mut from_service, &mut to_visitor).await?;
        to_visitor.shutdown().await
    };
    tokio::try_join!(up, down).map(drop)
}

async fn meddle(
    service: &mut (impl AsyncRead + Unpin),
    visitor: &mut (impl AsyncWrite + Unpin),
    meddling: Meddling,
) -> io::Result<()> {
    let head = head(service).await?;
    match meddling {
        Meddling::NoSubprotocol => {
            let lines = head.split_inclusive(|byte| *byte == b'\n');
            let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with(b"sec-websocket-protocol"));
            visitor.write_all(&kept.collect::<Vec<_>>().concat()).await
        }
        Meddling::TextMessage => {
            visitor.write_all(&head).await?;
            // FIN and the opcode of a binary message become FIN and the opcode of a text.
            let first = service.read_u8().await?;
            visitor.write_all(&[first & 0xf0 | 0x01]).await
        }
    }
}

/// Reads up to the empty line.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}
