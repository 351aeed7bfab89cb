//! Ways to misbehave, and what comes of them.

use std::{fmt, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, WriteHalf},
    time::{sleep, timeout},
};

use crate::{
    end::{End, Received},
    error::Error,
    target::Target,
    tls::Stream,
    wire::frame,
};

/// The pause between two bytes of a request that is sent byte by byte.
const DRIP: Duration = Duration::from_millis(200);
/// Bytes of headers in a request that is too long.
const LONG: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Silent,
    Dripping,
    Garbage,
    Tls,
    Prose,
    LongHead,
    WrongPath,
    Unmasked,
    ReservedBit,
    Text,
    TooLarge,
    LongPing,
}

/// What came of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// An HTTP answer.
    Status(u16),
    /// A websocket close frame.
    Code(u16),
    /// Closed or reset without a word.
    Ended,
    /// Nothing at all in the time that was waited.
    Nothing,
    /// The connection, or the tunnel that was to be abused, did not come about.
    NotServed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Code(code) => write!(f, "close code {code}"),
            Self::Ended => f.write_str("ended without a word"),
            Self::Nothing => f.write_str("no answer"),
            Self::NotServed => f.write_str("not served"),
        }
    }
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Silent,
        Self::Dripping,
        Self::Garbage,
        Self::Tls,
        Self::Prose,
        Self::LongHead,
        Self::WrongPath,
        Self::Unmasked,
        Self::ReservedBit,
        Self::Text,
        Self::TooLarge,
        Self::LongPing,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Silent => "connections that say nothing",
            Self::Dripping => "requests byte by byte",
            Self::Garbage => "binary garbage",
            Self::Tls => "TLS where plain text is spoken",
            Self::Prose => "text that is no HTTP",
            Self::LongHead => "requests that are too long",
            Self::WrongPath => "requests for another path",
            Self::Unmasked => "unmasked frames",
            Self::ReservedBit => "frames with a reserved bit",
            Self::Text => "text messages",
            Self::TooLarge => "frames that announce 1 TiB",
            Self::LongPing => "pings that are too long",
        }
    }

    /// Strangers with nothing but a connection all come at once; those with a tunnel need two for each.
    pub(super) const fn most_at_once(self) -> u32 {
        if self.frame().is_some() { 256 } else { u32::MAX }
    }

    /// The sockets of so many of them, here and in the service.
    pub(super) fn sockets(self, count: u32) -> u64 {
        let each = if self.frame().is_some() { 2 } else { 1 };
        u64::from(count.min(self.most_at_once())).saturating_mul(each)
    }

    /// What a peer of a tunnel sends, for the kinds that have a tunnel.
    const fn frame(self) -> Option<&'static [u8]> {
        match self {
            Self::Unmasked => Some(&[0x82, 1, 0]),
            Self::ReservedBit => Some(&[0xc2, 0x81, 0, 0, 0, 0, 0]),
            Self::Text => Some(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']),
            Self::TooLarge => Some(&[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            Self::LongPing => Some(&[0x89, 0xfe, 0, 126, 0, 0, 0, 0]),
            _ => None,
        }
    }

    /// Misbehaves once, and waits so long for an answer.
    pub(super) async fn act(self, target: &Target, wait: Duration) -> Outcome {
        match self.frame() {
            Some(frame) => in_tunnel(target, frame, wait).await,
            None => self.before_tunnel(target, wait).await,
        }
    }

    async fn before_tunnel(self, target: &Target, wait: Duration) -> Outcome {
        let Ok(io) = target.connect().await else { return Outcome::NotServed };
        let request = target.opening();
        let (mut from, to) = tokio::io::split(io);
        let mut answer = Vec::new();
        let exchange = async {
            tokio::select! {
                () = self.say(to, &request) => {}
                _ = from.read_to_end(&mut answer) => {}
            }
        };
        let over = timeout(wait, exchange).await.is_ok();
        let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.first_chunk::<3>());
        match status.and_then(|digits| core::str::from_utf8(digits).ok()?.parse().ok()) {
            Some(status) => Outcome::Status(status),
            None if over => Outcome::Ended,
            None => Outcome::Nothing,
        }
    }

    /// Sends what the kind sends before there is a tunnel, then stays. The answer ends the wait.
    async fn say(self, mut to: WriteHalf<Stream>, request: &str) {
        // A service that has closed does not take all of it, and its answer says why.
        let _ = match self {
            Self::Dripping => drip(&mut to, request.as_bytes()).await,
            Self::Garbage => to.write_all(&[0, 0xff, 0x80, 7].repeat(64)).await,
            Self::Tls => to.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await,
            Self::Prose => to.write_all(b"EHLO example.com\r\n\r\n").await,
            Self::LongHead => {
                let head = request.trim_end();
                to.write_all(format!("{head}\r\nX-Long: {}\r\n\r\n", "x".repeat(LONG)).as_bytes()).await
            }
            Self::WrongPath => to.write_all(request.replace("/cable/", "/wp-admin/").as_bytes()).await,
            _ => Ok(()),
        };
        std::future::pending().await
    }
}

async fn drip(to: &mut WriteHalf<Stream>, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        to.write_u8(*byte).await?;
        sleep(DRIP).await;
    }
    Ok(())
}

/// Breaks a rule in a tunnel of its own.
async fn in_tunnel(target: &Target, bytes: &[u8], wait: Duration) -> Outcome {
    let acting = async {
        let Ok(mut tunnel) = target.tunnel().await else { return Outcome::NotServed };
        match answer(&mut tunnel.opener, bytes).await {
            Ok(code) => Outcome::Code(code),
            Err(_) => Outcome::Ended,
        }
    };
    timeout(wait, acting).await.unwrap_or(Outcome::Nothing)
}

async fn answer(end: &mut End, bytes: &[u8]) -> Result<u16, Error> {
    end.send(bytes).await?;
    loop {
        if let Received::Close(code) = end.receive().await? {
            end.send(&frame(0x88, &code.unwrap_or(1000).to_be_bytes())).await?;
            return Ok(code.unwrap_or(1005));
        }
    }
}
