//! Packets of a BLE channel: flags (1), then steps: kind (1) and what belongs to it. An honest peer marks the ends of its
//! messages in one of the two forms and cuts them as it likes, until something else is put between.
#![no_main]

use hybridge_fuzz_input::{Reader, packets as op};
use hybridge_proto::{
    frame::{FrameError, Opener, Sealer, TrafficKey},
    handshake::MESSAGE_LENGTH,
    packets::{Framing, PacketReader, TERMINATOR},
    service::MAX_MESSAGE,
};
use libfuzzer_sys::fuzz_target;

/// How many steps one input may hold.
const MAX_STEPS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let key = TrafficKey::from_bytes(&[3; 32]);
    let mut peer = Peer {
        framing: Framing::CrLf,
        sealer: Sealer::new(&key),
        opener: Opener::new(&key),
        reader: PacketReader::new(),
        sent: Vec::new(),
        read: 0,
        honest: true,
        over: false,
        received: 0,
    };
    let flags = input.byte();
    if flags & op::LENGTHS != 0 {
        peer.framing = Framing::Length;
    }
    match flags & op::STRANGER {
        0 => peer.meet(),
        _ => peer.begin_strangely(input.chunk()),
    }
    for _ in 0..MAX_STEPS {
        if input.is_empty() || peer.over {
            break;
        }
        peer.step(&mut input);
    }
});

struct Peer {
    framing: Framing,
    sealer: Sealer,
    opener: Opener,
    reader: PacketReader,
    sent: Vec<Vec<u8>>,
    read: usize,
    /// Nothing but messages has been sent.
    honest: bool,
    over: bool,
    received: usize,
}

impl Peer {
    fn meet(&mut self) {
        let message = [4; MESSAGE_LENGTH];
        self.push(&self.framing.wrap(&message));
        assert_eq!(self.reader.handshake_message(), Ok(Some(message)));
        assert_eq!(self.reader.framing(), Some(self.framing));
    }

    fn begin_strangely(&mut self, bytes: &[u8]) {
        self.honest = false;
        self.push(bytes);
        self.over = self.reader.handshake_message().is_err();
    }

    fn step(&mut self, input: &mut Reader<'_>) {
        match input.byte() % op::COUNT {
            op::MESSAGE => {
                let size = usize::from(input.byte()).max(1);
                let frame = self.seal(input.chunk());
                for packet in self.framing.wrap(&frame).chunks(size) {
                    self.push(packet);
                    self.read();
                }
                self.all_is_read();
            }
            op::APART => {
                let frame = self.seal(input.chunk());
                let wrapped = self.framing.wrap(&frame);
                let middle =
                    if self.framing == Framing::Length { 4 } else { wrapped.len() - TERMINATOR.len() };
                let (before, behind) = wrapped.split_at(middle);
                for packet in [before, behind] {
                    self.push(packet);
                    self.read();
                }
                self.all_is_read();
            }
            op::BARE => {
                let frame = self.seal(input.chunk());
                match self.framing {
                    Framing::Length => self.push(&Framing::Length.wrap(&frame)),
                    _ => self.push(&frame),
                }
                self.read();
                self.all_is_read();
            }
            op::FLOOD => {
                self.honest = false;
                let times = usize::from(input.byte());
                let flood: Vec<u8> = input.chunk().repeat(times).into_iter().take(65_535).collect();
                self.push(&flood);
                self.read();
            }
            _ => {
                let bytes = input.chunk();
                self.honest &= bytes.is_empty();
                self.push(bytes);
                self.read();
            }
        }
    }

    fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        self.sent.push(message.to_vec());
        self.sealer.seal(message).expect("short messages are sealed")
    }

    fn push(&mut self, packet: &[u8]) {
        self.received += packet.len();
        self.reader.push(packet);
    }

    fn read(&mut self) {
        while !self.over {
            match self.reader.open_frame(&mut self.opener) {
                Ok(None) => return,
                Ok(Some(message)) => {
                    assert_eq!(self.sent.get(self.read), Some(&message), "what was sent, in its order");
                    self.read += 1;
                }
                Err(error) => {
                    assert!(!self.honest, "honest messages are read");
                    let large = matches!(error, FrameError::TooLarge(_));
                    let claimed = self.reader.framing() == Some(Framing::Length);
                    assert!(!large || claimed || self.received > MAX_MESSAGE);
                    self.over = true;
                }
            }
        }
    }

    fn all_is_read(&self) {
        assert!(!self.honest || self.read == self.sent.len(), "a whole message is read at once");
    }
}
