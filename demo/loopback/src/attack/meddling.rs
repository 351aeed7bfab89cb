//! What a tunnel service can do to messages that it cannot read.

/// The side that a message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// Message 2 is number 0, the phone's description 1, then come updates and replies.
    Laptop,
    /// Message 1 is number 0, the first request 1.
    Phone,
}

impl Toward {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Laptop => Self::Phone,
            Self::Phone => Self::Laptop,
        }
    }
}

/// Which message: the side that it goes to, and its number.
pub(super) type Which = (Toward, usize);

/// One message in the hands of a tunnel service.
#[derive(Clone)]
pub(super) struct Message {
    /// The tunnel, counted from 0 in the order of their opening.
    pub(super) tunnel: usize,
    pub(super) toward: Toward,
    /// Which message in this direction of this tunnel, from 0.
    pub(super) number: usize,
    pub(super) bytes: Vec<u8>,
}

impl Message {
    fn is(&self, which: Which) -> bool {
        (self.toward, self.number) == which
    }

    fn with(&self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self.clone() }
    }
}

/// Changes the bytes of one message.
pub(super) fn change(
    which: Which,
    mut change: impl FnMut(&mut Vec<u8>) + Send + 'static,
) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |mut message| {
        if message.is(which) {
            change(&mut message.bytes);
        }
        vec![message]
    }
}

/// Flips the lowest bit of the last byte of one message. Every message ends in a tag.
pub(super) fn flip(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    change(which, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

/// Loses one message.
pub(super) fn lose(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |message| if message.is(which) { Vec::new() } else { vec![message] }
}

/// Loses every message in one direction.
pub(super) fn silence(toward: Toward) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |message| if message.toward == toward { Vec::new() } else { vec![message] }
}

/// Delivers one message twice.
pub(super) fn repeat(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |message| if message.is(which) { vec![message.clone(), message] } else { vec![message] }
}

/// Delivers one message a second time, when the answer to it has passed.
pub(super) fn repeat_after(
    which: Which,
    answer: Which,
) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    let mut kept = None;
    move |message| {
        if message.is(which) {
            kept = Some(message.clone());
        }
        let again = kept.take_if(|_| message.is(answer));
        std::iter::once(message).chain(again).collect()
    }
}

/// Delivers a message of its own behind one.
pub(super) fn inject(
    behind: Which,
    toward: Toward,
    bytes: Vec<u8>,
) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |message| {
        if !message.is(behind) {
            return vec![message];
        }
        let injected = Message { toward, ..message.with(bytes.clone()) };
        vec![message, injected]
    }
}

/// Delivers one message behind the one that follows it.
pub(super) fn reorder(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    let mut held = None;
    move |message| {
        if message.is(which) {
            held = Some(message);
            return Vec::new();
        }
        let follows = message.toward == which.0;
        std::iter::once(message).chain(held.take_if(|_| follows)).collect()
    }
}

/// Sends one message back to its sender instead of forwarding it.
pub(super) fn reflect(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    move |message| {
        let toward = if message.is(which) { message.toward.other() } else { message.toward };
        vec![Message { toward, ..message }]
    }
}

/// Exchanges one message of the two tunnels, as soon as both have come.
pub(super) fn swap(which: Which) -> impl FnMut(Message) -> Vec<Message> + Send + 'static {
    let mut held: Option<Message> = None;
    move |mut message| {
        if !message.is(which) {
            return vec![message];
        }
        match held.take() {
            None => {
                held = Some(message);
                Vec::new()
            }
            Some(mut first) => {
                std::mem::swap(&mut first.bytes, &mut message.bytes);
                vec![first, message]
            }
        }
    }
}
