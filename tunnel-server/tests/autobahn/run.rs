//! Runs one case from either end of a tunnel whose other end echoes.

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::watch,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// How a case cuts its bytes into writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chops {
    /// All in one.
    Whole,
    /// One frame each.
    Frames,
    /// So many bytes each.
    Octets(usize),
}

/// A case of the suite: what is sent, and all that comes back.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The suite's number.
    pub(crate) name: String,
    /// What is sent first.
    pub(crate) first: Vec<Vec<u8>>,
    /// What is sent when all answers to that have come, and ends the tunnel.
    pub(crate) last: Vec<Vec<u8>>,
    pub(crate) chops: Chops,
    /// The messages that are echoed, in order.
    pub(crate) echoed: Vec<Vec<u8>>,
    /// The payloads of pongs, in order.
    pub(crate) pongs: Vec<Vec<u8>>,
    /// The code of the close frame at the end; none for one without a code.
    pub(crate) close: Option<u16>,
}

impl Case {
    /// A case that closes the tunnel with 1000 when it got what it waited for.
    pub(crate) fn clean(name: impl Into<String>, first: Vec<Vec<u8>>) -> Self {
        let last = vec![frame(0x88, &[3, 0xe8])];
        Self { first, close: Some(1000), ..Self::failing(name, last) }
    }

    /// A case in which the service fails the connection.
    pub(crate) fn failing(name: impl Into<String>, last: Vec<Vec<u8>>) -> Self {
        let (first, echoed, pongs) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.into(), first, last, chops: Chops::Whole, echoed, pongs, close: Some(1002) }
    }

    /// These frames go first.
    pub(crate) fn behind(self, first: Vec<Vec<u8>>) -> Self {
        Self { first, ..self }
    }

    pub(crate) fn chopped(self, chops: Chops) -> Self {
        Self { chops, ..self }
    }

    pub(crate) fn echoed(self, echoed: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { echoed: echoed.into_iter().map(Into::into).collect(), ..self }
    }

    pub(crate) fn pongs(self, pongs: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { pongs: pongs.into_iter().map(Into::into).collect(), ..self }
    }

    pub(crate) fn closed(self, close: Option<u16>) -> Self {
        Self { close, ..self }
    }
}

impl Chops {
    fn cut(self, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        match self {
            Self::Whole => vec![frames.concat()],
            Self::Frames => frames.to_vec(),
            Self::Octets(count) => frames.concat().chunks(count).map(<[u8]>::to_vec).collect(),
        }
    }
}

/// Checks a case with its client as opener and as joiner of the tunnel.
pub(crate) async fn run(case: &Case) {
    for joins in [false, true] {
        let service = with_config(|config| {
            config.max_message = 16 << 20;
            config.max_tunnel_bytes = u64::MAX;
        });
        let (phone, client) = pair(&service).await;
        let (tested, other) = if joins { (client, phone) } else { (phone, client) };
        let echoing = tokio::spawn(echo(other));
        let received = converse(tested.into_inner(), case).await;
        echoing.await.unwrap();
        let expected = Received { echoed: case.echoed.clone(), pongs: case.pongs.clone(), close: case.close };
        assert!(received == expected, "case {}, joins: {joins}: {received:?}", case.name);
    }
}

/// Sends every message back until the tunnel is over.
async fn echo(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(payload) = message {
            let _ = socket.send(Message::Binary(payload)).await;
        }
    }
}

/// What came back in a case.
#[derive(PartialEq, Eq)]
struct Received {
    echoed: Vec<Vec<u8>>,
    pongs: Vec<Vec<u8>>,
    close: Option<u16>,
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lengths = |all: &[Vec<u8>]| all.iter().map(Vec::len).collect::<Vec<_>>();
        let (echoed, pongs) = (lengths(&self.echoed), lengths(&self.pongs));
        write!(f, "bytes echoed {echoed:?}, in pongs {pongs:?}, closed with {:?}", self.close)
    }
}

/// Sends the case's bytes and reads until the service has closed.
async fn converse(io: DuplexStream, case: &Case) -> Received {
    let (reading, mut writing) = tokio::io::split(io);
    let answers = watch::Sender::new(0);
    let mut answered = answers.subscribe();
    let sending = async move {
        send(&mut writing, case.chops.cut(&case.first)).await;
        let expected = case.echoed.len() + case.pongs.len();
        if answered.wait_for(|count| *count >= expected).await.is_ok() {
            send(&mut writing, case.chops.cut(&case.last)).await;
        }
        // Leaving would be another way to end the tunnel.
        writing
    };
    tokio::join!(sending, receive(reading, answers, &case.name)).1
}

async fn send(io: &mut WriteHalf<DuplexStream>, writes: Vec<Vec<u8>>) {
    for write in writes {
        // A service that fails the connection may stop reading.
        let _ = io.write_all(&write).await;
        tokio::task::yield_now().await;
    }
}

async fn receive(mut io: ReadHalf<DuplexStream>, answers: watch::Sender<usize>, name: &str) -> Received {
    let mut received = Received { echoed: Vec::new(), pongs: Vec::new(), close: None };
    loop {
        match server_frame(&mut io).await {
            Some((0x82, payload)) => received.echoed.push(payload),
            Some((0x8a, payload)) => received.pongs.push(payload),
            Some((0x88, payload)) => {
                received.close = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                let mut rest = Vec::new();
                io.read_to_end(&mut rest).await.unwrap();
                assert!(rest.is_empty(), "case {name}: something follows the close frame");
                return received;
            }
            other => panic!("case {name}: {other:?}"),
        }
        answers.send_replace(received.echoed.len() + received.pongs.len());
    }
}

/// The first byte and the payload of the next frame, which must not be masked.
async fn server_frame(io: &mut (impl AsyncRead + Unpin)) -> Option<(u8, Vec<u8>)> {
    let first = io.read_u8().await.ok()?;
    let length = match io.read_u8().await.unwrap() {
        126 => u64::from(io.read_u16().await.unwrap()),
        127 => io.read_u64().await.unwrap(),
        short @ 0..126 => u64::from(short),
        masked => panic!("masked: {masked:#x}"),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    io.read_exact(&mut payload).await.unwrap();
    Some((first, payload))
}
