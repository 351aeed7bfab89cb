//! The raw bytes of two connections through the service, and what has to come out at their other ends. Shared with the
//! fuzz target of the same name.

use hybridge_relay::{Config, Service};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    task::JoinHandle,
    time::{Duration, sleep},
};

use super::model::{End, Model, received};

/// The most bytes of one side. Few enough that no limit but the one on a message's length matters.
pub const MAX_BYTES: usize = 2048;
const CAPACITY: usize = 64 * 1024;
const TUNNEL: &str = "A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7";
const UPGRADE: &str = "HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: fido.cable\r\n\r\n";

/// One write to a connection.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whether the client writes it; the phone otherwise.
    pub client: bool,
    /// Whether the service gets to see it before the next write.
    pub wait: bool,
    pub bytes: Vec<u8>,
}

/// All that both sides do.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub steps: Vec<Step>,
    /// How many steps come before the client joins. Those of the client go right behind its request.
    pub before_join: usize,
    /// Whether the phone's steps before the join go right behind its request, too.
    pub early: bool,
    pub phone_leaves: bool,
    pub client_leaves: bool,
}

impl Script {
    /// Reads a script: flags, the number of steps before the join, then for each step a byte with side (bit 7), no
    /// wait (bit 6) and length (bits 0 to 5), and so many bytes.
    pub fn read(input: &[u8]) -> Self {
        let [flags, before_join, rest @ ..] = input else { return Self::default() };
        let (mut steps, mut rest, mut room) = (Vec::new(), rest, [MAX_BYTES; 2]);
        while let [head, behind @ ..] = rest {
            let client = head & 0x80 != 0;
            let room = &mut room[usize::from(client)];
            let length = usize::from(head & 0x3f).min(behind.len()).min(*room);
            *room -= length;
            let (bytes, behind) = behind.split_at(length);
            steps.push(Step { client, wait: head & 0x40 == 0, bytes: bytes.to_vec() });
            rest = behind;
        }
        Self {
            before_join: usize::from(*before_join).min(steps.len()),
            steps,
            early: flags & 1 != 0,
            phone_leaves: flags & 2 != 0,
            client_leaves: flags & 4 != 0,
        }
    }

    /// The same in the form that [`Script::read`] takes. Steps of 64 bytes and more become several.
    #[allow(dead_code, reason = "the fuzz target only reads")]
    pub fn write(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = flag(self.early, 1) | flag(self.phone_leaves, 2) | flag(self.client_leaves, 4);
        let mut out = vec![flags, u8::try_from(self.before_join).unwrap_or(u8::MAX)];
        for step in &self.steps {
            for piece in step.bytes.chunks(0x3f) {
                let length = u8::try_from(piece.len()).unwrap_or_default();
                out.push(flag(step.client, 0x80) | flag(!step.wait, 0x40) | length);
                out.extend_from_slice(piece);
            }
        }
        out
    }

    fn bytes_of(&self, client: bool) -> Vec<u8> {
        let own = self.steps.iter().filter(|step| step.client == client);
        own.flat_map(|step| step.bytes.iter().copied()).collect()
    }

    fn before(&self, client: bool) -> Vec<u8> {
        let first = self.steps.iter().take(self.before_join).filter(|step| step.client == client);
        first.flat_map(|step| step.bytes.iter().copied()).collect()
    }
}

/// An open connection: what is written to it, and all that comes back in the end.
struct Connection {
    writing: WriteHalf<DuplexStream>,
    head: String,
    reading: JoinHandle<Vec<u8>>,
}

impl Connection {
    async fn open(service: &Service, path: &str, behind: &[u8]) -> Self {
        let (ours, theirs) = duplex(CAPACITY);
        let service = service.clone();
        tokio::spawn(async move { service.serve_stream(theirs).await });
        let (mut reading, mut writing) = split(ours);
        let request = [format!("GET {path} {UPGRADE}").as_bytes(), behind].concat();
        writing.write_all(&request).await.expect("the service reads requests");
        let head = head(&mut reading).await;
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            reading.read_to_end(&mut received).await.expect("a pipe does not break");
            received
        });
        Self { writing, head, reading }
    }

    async fn write(&mut self, bytes: &[u8]) {
        // The service may be done with this connection.
        let _ = self.writing.write_all(bytes).await;
    }
}

async fn head(io: &mut ReadHalf<DuplexStream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.expect("the service answers requests"));
    }
    String::from_utf8(head).expect("a head is text")
}

/// Plays a script, and checks that each side received well-formed frames that say what the other one sent.
///
/// Needs a runtime whose time is paused.
pub async fn check(script: &Script) {
    let config = Config::default();
    let limit = u64::try_from(config.max_message).expect("a small number");
    let service = Service::with_rng(config, ChaCha20Rng::from_seed([7; 32]));
    let (first, later) = script.steps.split_at(script.before_join);
    let behind = if script.early { script.before(false) } else { Vec::new() };
    let mut phone = Connection::open(&service, &format!("/cable/new/{TUNNEL}"), &behind).await;
    if !script.early {
        play(first.iter().filter(|step| !step.client), &mut phone, None).await;
    }
    let routing = phone.head.split("X-caBLE-Routing-ID: ").nth(1).and_then(|rest| rest.get(..6));
    let path = format!("/cable/connect/{}/{TUNNEL}", routing.expect("a phone gets a routing ID"));
    settle().await;
    let mut client = Connection::open(&service, &path, &script.before(true)).await;
    let joined = client.head.starts_with("HTTP/1.1 101 ");
    play(later.iter(), &mut phone, Some(&mut client)).await;
    settle().await;
    if script.phone_leaves {
        let _ = phone.writing.shutdown().await;
        settle().await;
    }
    if script.client_leaves {
        let _ = client.writing.shutdown().await;
    }
    let to_phone = phone.reading.await.expect("reading ends");
    let to_client = client.reading.await.expect("reading ends");
    assert_eq!(service.tunnel_count(), 0, "the tunnel is off the table");

    let of_phone = Model::of(&script.bytes_of(false), limit);
    let of_client = Model::of(&script.bytes_of(true), limit);
    if !joined {
        let before = Model::of(&script.before(false), limit);
        assert!(before.end != End::Open, "an open tunnel was not joined");
        return received(&to_phone, &Model::default(), &of_phone);
    }
    received(&to_client, &of_phone, &of_client);
    received(&to_phone, &of_client, &of_phone);
}

async fn play<'a>(
    steps: impl Iterator<Item = &'a Step>,
    phone: &mut Connection,
    mut client: Option<&mut Connection>,
) {
    for step in steps {
        match client.as_deref_mut().filter(|_| step.client) {
            Some(client) => client.write(&step.bytes).await,
            None => phone.write(&step.bytes).await,
        }
        if step.wait {
            settle().await;
        }
    }
}

/// Lets the service do all that it can do now.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}
