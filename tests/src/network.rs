//! A simulated network: pipes in which bytes take their time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    join,
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// How many bytes one end takes before the network moves them on. More than any message here has.
const CAPACITY: usize = 1 << 16;

/// When one end of a pipe sent something.
#[derive(Debug, Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<Instant>>>);

impl Sent {
    /// The moments at which something was sent, each once.
    pub fn moments(&self) -> Vec<Instant> {
        let mut moments = self.0.lock().unwrap().clone();
        moments.dedup();
        moments
    }

    /// Notes that something was sent now.
    pub fn note(&self) {
        self.0.lock().unwrap().push(Instant::now());
    }
}

/// Two ends of a connection on which bytes are under way for `delay` in each direction, however many there are. What
/// the first end sends is noted.
pub fn pipe(delay: Duration, sent: &Sent) -> (DuplexStream, DuplexStream) {
    let (near, near_network) = duplex(CAPACITY);
    let (far, far_network) = duplex(CAPACITY);
    let (from_near, to_near) = split(near_network);
    let (from_far, to_far) = split(far_network);
    tokio::spawn(carry(from_near, to_far, delay, sent.clone()));
    tokio::spawn(carry(from_far, to_near, delay, Sent::default()));
    (near, far)
}

/// Moves bytes, each piece so much later.
async fn carry(
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
    delay: Duration,
    sent: Sent,
) {
    let (start, mut arriving) = mpsc::unbounded_channel();
    let departing = async move {
        let mut piece = vec![0; CAPACITY];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            sent.note();
            let _ = start.send((Instant::now() + delay, piece.get(..length).unwrap_or_default().to_vec()));
        }
    };
    let arriving = async move {
        while let Some((at, piece)) = arriving.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    join!(departing, arriving);
}
