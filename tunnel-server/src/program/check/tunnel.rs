//! The tunnel itself: messages, pings, silence, the end.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{
    cause::{Cause, tunnel as cause},
    report::{Finding, Found, Stepped, fine},
    upgrade::Socket,
};

/// How large the messages are that go both ways, in bytes.
const SIZES: [(usize, &str); 3] = [(1, "1 B"), (4096, "4 KiB"), (200 * 1024, "200 KiB")];
/// From this size on, an end of the tunnel is put down to the size.
const LARGE: usize = 16 * 1024;
/// What pushes a message out of something that collects bytes: so many messages of so many bytes.
const PUSH: (usize, usize) = (32, 16 * 1024);
/// A round trip that takes longer is worth a note.
const SLOW: Duration = Duration::from_secs(1);

/// What a side of the tunnel hears.
enum Heard {
    Message(Bytes),
    Pong,
    Closed(Option<CloseFrame>),
    Nothing,
}

/// Both sides of a tunnel that has been joined.
pub(crate) struct Tunnel {
    pub(crate) phone: Socket,
    pub(crate) client: Socket,
    pub(crate) limit: Duration,
}

/// Bytes that show when they are cut or swapped.
fn pattern(length: usize) -> Bytes {
    (0..=u8::MAX).cycle().step_by(7).take(length).collect::<Vec<_>>().into()
}

/// The next thing that a side hears within `limit`.
async fn hear(socket: &mut Socket, limit: Duration) -> Heard {
    let until = tokio::time::Instant::now() + limit;
    loop {
        return match timeout_at(until, socket.next()).await {
            Ok(Some(Ok(Message::Binary(bytes)))) => Heard::Message(bytes),
            Ok(Some(Ok(Message::Pong(_)))) => Heard::Pong,
            Ok(Some(Ok(Message::Ping(_)))) => continue,
            Ok(Some(Ok(Message::Close(frame)))) => Heard::Closed(frame),
            Ok(Some(Ok(_) | Err(_)) | None) => Heard::Closed(None),
            Err(_) => Heard::Nothing,
        };
    }
}

/// As [`hear`], past pongs that nobody asked for.
async fn hear_but_pongs(socket: &mut Socket, limit: Duration) -> Heard {
    let until = Instant::now() + limit;
    loop {
        match hear(socket, until.saturating_duration_since(Instant::now())).await {
            Heard::Pong => {}
            heard => return heard,
        }
    }
}

/// A side's end in words.
fn end(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) => format!("closed with {}", u16::from(frame.code)),
        None => "closed without a close frame".to_owned(),
    }
}

/// Sends a message; an end that this meets is found when the answer is waited for.
pub(crate) async fn send(socket: &mut Socket, message: Bytes, limit: Duration) {
    let _ = timeout(limit, socket.send(Message::Binary(message))).await;
}

impl Tunnel {
    /// The message that was sent before the client came.
    pub(crate) async fn early(&mut self, early: &Bytes) -> Stepped<()> {
        let Self { phone, client, limit } = self;
        receive(client, phone, early, *limit, &cause::CLOSED).await?;
        fine((), "a message sent before the client joined has been kept for it")
    }

    /// Messages of all sizes, in both directions.
    pub(crate) async fn messages(&mut self) -> Stepped<()> {
        let Self { phone, client, limit } = self;
        for (length, name) in SIZES {
            let message = pattern(length);
            let closed = if length >= LARGE { &cause::SIZE_LIMIT } else { &cause::CLOSED };
            for to_client in [true, false] {
                let (from, to) =
                    if to_client { (&mut *phone, &mut *client) } else { (&mut *client, &mut *phone) };
                let sent = message.clone();
                // Sent and read at the same time: a large message does not fit into the buffers on the way.
                let sending = from.send(Message::Binary(sent));
                let (_, received) = tokio::join!(timeout(*limit, sending), hear(to, *limit));
                let late = matches!(received, Heard::Nothing);
                let judged = judge(received, &message, closed);
                let judged = if late { Err(pushed(from, to, &message, *limit).await) } else { judged };
                judged.map_err(|found| Finding { found: format!("{name}: {}", found.found), ..found })?;
            }
        }
        let sizes = SIZES.map(|(_, name)| name).join(", ");
        fine((), format!("{sizes} arrived whole both ways"))
    }

    /// How long a small message takes there and back, and whether pings are answered.
    pub(crate) async fn latency(&mut self) -> Stepped<()> {
        let Self { phone, client, limit } = self;
        let message = pattern(100);
        let start = Instant::now();
        for to_client in [true, false] {
            let (from, to) =
                if to_client { (&mut *phone, &mut *client) } else { (&mut *client, &mut *phone) };
            send(from, message.clone(), *limit).await;
            receive(to, from, &message, *limit, &cause::CLOSED).await?;
        }
        let took = start.elapsed();
        for side in [phone, client] {
            let _ = timeout(*limit, side.send(Message::Ping("check".into()))).await;
            match hear(side, *limit).await {
                Heard::Pong => {}
                Heard::Closed(frame) => return Err(Finding::new(&cause::CLOSED, end(frame.as_ref()))),
                _ => return Err(Finding::new(&cause::NO_PONG, "no pong")),
            }
        }
        let doubt = (took > SLOW).then_some(&cause::SLOW);
        Ok(Found {
            value: (),
            text: format!("{} ms there and back, pings answered", took.as_millis()),
            doubt,
        })
    }

    /// Nothing is sent for a while.
    pub(crate) async fn idle(&mut self, quiet: Duration) -> Stepped<()> {
        let start = Instant::now();
        let Self { phone, client, .. } = self;
        let heard = tokio::select! {
            heard = hear_but_pongs(phone, quiet) => heard,
            heard = hear_but_pongs(client, quiet) => heard,
        };
        match heard {
            Heard::Closed(frame) => {
                let text =
                    format!("{} after {} s of silence", end(frame.as_ref()), start.elapsed().as_secs());
                Err(Finding::new(&cause::IDLE_TIMEOUT, text))
            }
            Heard::Message(_) => Err(Finding::new(&cause::CHANGED, "a message arrived that nobody sent")),
            Heard::Pong | Heard::Nothing => {
                fine((), format!("still there after {} s of silence", quiet.as_secs()))
            }
        }
    }

    /// The client leaves, and the phone has to be told so.
    pub(crate) async fn close(mut self) -> Stepped<()> {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = timeout(self.limit, self.client.close(Some(goodbye))).await;
        match hear(&mut self.phone, self.limit).await {
            Heard::Closed(Some(frame)) if frame.code == CloseCode::Normal => {
                fine((), "1000 has been passed on")
            }
            Heard::Closed(frame) => Err(Finding::new(
                &cause::CLOSE_LOST,
                format!("sent 1000; the other side is {}", end(frame.as_ref())),
            )),
            _ => Err(Finding::new(&cause::CLOSE_LOST, "sent 1000; the other side is not closed")),
        }
    }
}

/// Waits for a message. Where it does not come, finds out whether it is stuck or lost.
async fn receive(
    to: &mut Socket,
    from: &mut Socket,
    message: &Bytes,
    limit: Duration,
    closed: &'static Cause,
) -> Result<(), Finding> {
    match hear(to, limit).await {
        Heard::Nothing => Err(pushed(from, to, message, limit).await),
        heard => judge(heard, message, closed),
    }
}

fn judge(heard: Heard, message: &Bytes, closed: &'static Cause) -> Result<(), Finding> {
    match heard {
        Heard::Message(bytes) if bytes == *message => Ok(()),
        Heard::Message(_) => Err(Finding::new(&cause::CHANGED, "another message arrived")),
        Heard::Closed(frame) => Err(Finding::new(closed, end(frame.as_ref()))),
        Heard::Pong | Heard::Nothing => Err(Finding::new(&cause::LOST, "nothing arrived")),
    }
}

/// Why a message does not come: sends more behind it and sees whether that pushes it out.
async fn pushed(from: &mut Socket, to: &mut Socket, message: &Bytes, limit: Duration) -> Finding {
    let (count, length) = PUSH;
    let pushing = async {
        for _ in 0..count {
            send(from, pattern(length), limit).await;
        }
    };
    let (_, heard) = tokio::join!(timeout(limit, pushing), hear(to, limit));
    let waited = limit.as_secs();
    match heard {
        Heard::Message(bytes) if bytes == *message => {
            Finding::new(&cause::BUFFERING, format!("nothing for {waited} s, until more was sent"))
        }
        _ => Finding::new(&cause::LOST, format!("nothing for {waited} s, and nothing when more was sent")),
    }
}
