//! A stream that tells what passes through it: the view of the tunnel service, between its TLS and itself.

use std::{
    io::{self, Cursor},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hybridge_proto::service::ServicePath;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, OpCode},
};

use super::watch::{Peer, Seen, TunnelEvent};
use crate::journal::Journal;

/// What ends a request's or answer's head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Passes bytes on unchanged, and reads along.
pub(super) struct Tapped<S> {
    stream: S,
    reader: Reader,
}

impl<S> Tapped<S> {
    pub(super) fn new(stream: S, seen: Arc<Seen>, journal: Journal) -> Self {
        let reader = Reader {
            peer: None,
            asked: false,
            request: Vec::new(),
            answered: false,
            answer: Vec::new(),
            message: Vec::new(),
            seen,
            journal,
        };
        Self { stream, reader }
    }
}

/// Makes sense of the bytes of one connection.
struct Reader {
    /// Known once the request was read.
    peer: Option<Peer>,
    asked: bool,
    /// What came from the peer and is not read yet.
    request: Vec<u8>,
    answered: bool,
    /// What was sent of an answer's head that is not complete yet.
    answer: Vec<u8>,
    /// The fragments of a message so far.
    message: Vec<u8>,
    seen: Arc<Seen>,
    journal: Journal,
}

impl Reader {
    fn received(&mut self, bytes: &[u8]) {
        self.request.extend_from_slice(bytes);
        if !self.asked {
            let Some(head) = take_head(&mut self.request) else { return };
            self.asked = true;
            self.peer = peer(&head);
            self.seen.request(&head);
        }
        while let Some((opcode, is_final, payload)) = take_frame(&mut self.request) {
            self.frame(opcode, is_final, payload);
        }
    }

    fn frame(&mut self, opcode: OpCode, is_final: bool, payload: Vec<u8>) {
        let Some(from) = self.peer else { return };
        match opcode {
            OpCode::Data(_) => {
                self.message.extend(payload);
                if is_final {
                    let message = std::mem::take(&mut self.message);
                    self.journal.write(TunnelEvent::Carries { from, bytes: message.len() });
                    self.seen.message(message);
                }
            }
            OpCode::Control(Control::Close) => self.journal.write(TunnelEvent::Leaves(from)),
            OpCode::Control(_) => {}
        }
    }

    /// Reads what is about to be sent: once it was, the peer may be ahead of whoever reads the journal.
    fn offers(&mut self, bytes: &[u8]) {
        if self.answered {
            return;
        }
        let mut answer = [&self.answer, bytes].concat();
        let Some(head) = take_head(&mut answer) else { return };
        self.answered = true;
        self.journal.write(match (status(&head), self.peer) {
            (101, Some(peer)) => TunnelEvent::Accepted(peer),
            (status, _) => TunnelEvent::Refused { status },
        });
    }

    fn sent(&mut self, bytes: &[u8]) {
        if !self.answered {
            self.answer.extend_from_slice(bytes);
        }
    }
}

/// Takes a complete head off the front, or leaves an incomplete one.
fn take_head(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
    let rest = bytes.split_off(end.saturating_add(HEAD_END.len()));
    Some(std::mem::replace(bytes, rest))
}

/// The number in `HTTP/1.1 101 Switching Protocols`; 0 if there is none.
fn status(head: &[u8]) -> u16 {
    let word = head.split(|byte| *byte == b' ').nth(1);
    word.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).unwrap_or_default()
}

/// Who asks `GET <path> HTTP/1.1`.
fn peer(head: &[u8]) -> Option<Peer> {
    let path = head.split(|byte| *byte == b' ').nth(1)?;
    match ServicePath::parse(std::str::from_utf8(path).ok()?).ok()? {
        ServicePath::New { .. } => Some(Peer::Phone),
        ServicePath::Connect { .. } | ServicePath::Contact { .. } => Some(Peer::Laptop),
        _ => None,
    }
}

/// Takes a complete frame off the front and unmasks its payload, or leaves what is incomplete or broken.
fn take_frame(bytes: &mut Vec<u8>) -> Option<(OpCode, bool, Vec<u8>)> {
    let mut cursor = Cursor::new(bytes.as_slice());
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    let start = usize::try_from(cursor.position()).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let mut payload = bytes.get(start..end)?.to_vec();
    if let Some(mask) = header.mask {
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    }
    bytes.drain(..end);
    Some((header.opcode, header.is_final, payload))
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        this.reader.received(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.reader.offers(bytes);
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        this.reader.sent(bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::{Frame, coding::Data};

    use super::*;
    use crate::journal::{Entry, Event};

    const REQUEST: &str = "GET /cable/new/D5D511FB41CFB9760F5B1782E906F558 HTTP/1.1\r\nHost: a\r\n\r\n";
    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    fn masked(payload: &[u8], opcode: OpCode, is_final: bool) -> Vec<u8> {
        let header = FrameHeader { opcode, is_final, mask: Some([1, 2, 3, 4]), ..FrameHeader::default() };
        let mut bytes = Vec::new();
        Frame::from_payload(header, payload.to_vec().into()).format(&mut bytes).unwrap();
        bytes
    }

    fn tapped() -> (Tapped<()>, Arc<Seen>, impl FnMut() -> Vec<TunnelEvent>) {
        let (journal, mut entries) = Journal::begin();
        let seen = Arc::new(Seen::default());
        let events = move || {
            let mut events = Vec::new();
            while let Ok(Entry { event: Event::TunnelService(event), .. }) = entries.try_recv() {
                events.push(event);
            }
            events
        };
        (Tapped::new((), Arc::clone(&seen), journal), seen, events)
    }

    #[test]
    fn a_visit_is_read_however_it_is_cut() {
        let data = |data: Vec<u8>, is_final| masked(&data, OpCode::Data(Data::Binary), is_final);
        let rest = |data: Vec<u8>, is_final| masked(&data, OpCode::Data(Data::Continue), is_final);
        let stream = [
            REQUEST.as_bytes().to_vec(),
            data(vec![b'a'; 300], true),
            masked(b"ping", OpCode::Control(Control::Ping), true),
            data(vec![b'b'; 3], false),
            rest(vec![b'c'; 4], true),
            masked(&[0x03, 0xE8], OpCode::Control(Control::Close), true),
        ]
        .concat();
        for piece in [1, 7, 100, stream.len()] {
            let (mut tapped, seen, mut events) = tapped();
            stream.chunks(piece).for_each(|bytes| tapped.reader.received(bytes));
            let from = Peer::Phone;
            let carries = |bytes| TunnelEvent::Carries { from, bytes };
            assert_eq!(events(), [carries(300), carries(7), TunnelEvent::Leaves(from)]);
            assert_eq!((seen.requests(), seen.message_lengths()), (1, vec![300, 7]));
            assert!(seen.contains(b"bbbcccc") && seen.contains(b"/cable/new/D5D5"));
        }
    }

    #[test]
    fn an_answer_is_told_once_and_before_it_is_sent() {
        let (mut tapped, _, mut events) = tapped();
        tapped.reader.received(REQUEST.as_bytes());
        let (first, second) = ANSWER.as_bytes().split_at(20);
        for _ in 0..2 {
            // The stream takes nothing of it at first.
            tapped.reader.offers(first);
        }
        tapped.reader.sent(first);
        assert_eq!(events(), []);
        tapped.reader.offers(second);
        assert_eq!(events(), [TunnelEvent::Accepted(Peer::Phone)]);
        tapped.reader.offers(second);
        assert_eq!(events(), []);
    }

    #[test]
    fn refusals_are_told_of_anybody() {
        for request in ["GET /cable/new/D5 HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n", ""] {
            let (mut tapped, _, mut events) = tapped();
            tapped.reader.received(request.as_bytes());
            tapped.reader.offers(b"HTTP/1.1 404 Not Found\r\n\r\nbody");
            assert_eq!(events(), [TunnelEvent::Refused { status: 404 }], "{request}");
        }
    }
}
