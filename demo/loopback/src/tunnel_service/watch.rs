//! What a tunnel service gets to see, behind TLS and websocket masks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who is at the other end of a connection, by what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// It opens a tunnel.
    Phone,
    /// It joins a tunnel.
    Laptop,
}

/// What happens at the tunnel service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TunnelEvent {
    /// It let somebody in.
    Accepted(Peer),
    /// It refused a request.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// It got a message to pass on.
    Carries {
        /// Who sent it.
        from: Peer,
        /// Its length in bytes.
        bytes: usize,
    },
    /// Somebody says goodbye.
    Leaves(Peer),
}

/// Everything that the tunnel service received, as far as it can read it.
#[derive(Default)]
pub struct Seen {
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    heads: Vec<Vec<u8>>,
    messages: Vec<Vec<u8>>,
}

impl Seen {
    /// How many requests it got.
    pub fn requests(&self) -> usize {
        self.record().heads.len()
    }

    /// The lengths in bytes of the messages that it carried, in order.
    pub fn message_lengths(&self) -> Vec<usize> {
        self.record().messages.iter().map(Vec::len).collect()
    }

    /// All bytes of requests and messages together.
    pub fn bytes(&self) -> usize {
        self.record().parts().map(<[u8]>::len).sum()
    }

    /// Whether these bytes stand anywhere in what it received. An empty slice stands nowhere.
    pub fn contains(&self, wanted: &[u8]) -> bool {
        !wanted.is_empty()
            && self.record().parts().any(|part| part.windows(wanted.len()).any(|window| window == wanted))
    }

    /// Whether any `run` bytes in a row of `private` stand in what it received.
    pub fn contains_any_run(&self, private: &[u8], run: usize) -> bool {
        run > 0 && private.windows(run).any(|window| self.contains(window))
    }

    pub(super) fn request(&self, head: &[u8]) {
        self.record().heads.push(head.to_vec());
    }

    pub(super) fn message(&self, message: Vec<u8>) {
        self.record().messages.push(message);
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.heads.iter().chain(&self.messages).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_received_is_found_and_nothing_else() {
        let seen = Seen::default();
        seen.request(b"GET /cable/new/00 HTTP/1.1");
        seen.message(b"sealed".to_vec());
        seen.message(b"message".to_vec());
        assert_eq!((seen.requests(), seen.message_lengths(), seen.bytes()), (1, vec![6, 7], 39));
        for (wanted, found) in
            [("cable", true), ("sealed", true), ("sealedmessage", false), ("sealing", false), ("", false)]
        {
            assert_eq!(seen.contains(wanted.as_bytes()), found, "{wanted}");
        }
        assert!(seen.contains_any_run(b"unsealed", 5));
        assert!(!seen.contains_any_run(b"unsealed", 7));
        assert!(!seen.contains_any_run(b"seal", 5), "shorter than a run");
    }
}
