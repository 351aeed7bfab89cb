//! How the bytes of a fuzzer become structured input: read from the front, so that a change to a byte changes one
//! thing and what follows stays as it is. [`Writer`] makes seeds in the same layout.
#![forbid(unsafe_code)]

/// The first bytes and operations of the `client_machine` target.
pub mod client {
    /// Flags of the first byte: accept linking information.
    pub const ACCEPT_LINKING: u8 = 1;
    /// Flags of the first byte: offer the BLE channel.
    pub const L2CAP: u8 = 2;
    /// Flags of the first byte: require digital credentials as well.
    pub const REQUIRE_DIGITAL: u8 = 4;
    /// Flags of the first byte: begin without a code.
    pub const WITHOUT_CODE: u8 = 8;
    /// Flags of the first byte: over BLE, machine and phone send lengths.
    pub const LENGTHS: u8 = 16;

    /// Service data as it stands: chunk.
    pub const SERVICE_DATA: u8 = 0;
    /// A fitting advert: byte choosing the code, domain (2), chunk of suffix.
    pub const ADVERT: u8 = 1;
    /// A channel is open: byte choosing the channel, byte whose lowest bit is the signal.
    pub const OPENED: u8 = 2;
    /// A dial failed: byte choosing the channel, byte choosing why.
    pub const DIAL_FAILED: u8 = 3;
    /// Any message: byte choosing the channel, chunk.
    pub const MESSAGE: u8 = 4;
    /// The phone answers message 1: byte choosing the channel, byte of damage (0 for none), byte saying where.
    pub const ANSWER: u8 = 5;
    /// The phone sends a frame: byte choosing the channel, chunk of plaintext.
    pub const FRAME: u8 = 6;
    /// A channel closed: byte choosing it.
    pub const CLOSED: u8 = 7;
    /// Time passes: quarters of seconds (2).
    pub const WAIT: u8 = 8;
    /// A CTAP request: seconds to answer it (8), chunk.
    pub const SEND_CTAP: u8 = 9;
    /// A JSON request: chunk.
    pub const SEND_JSON: u8 = 10;
    /// The caller is done.
    pub const SHUTDOWN: u8 = 11;
    /// The caller wants a fresh code.
    pub const SHOW_CODE: u8 = 12;
    /// The caller calls a remembered phone: domain (2).
    pub const CALL: u8 = 13;
    /// The phone sends linking information: byte choosing the channel, byte whose lowest bit is whether it is
    /// signed for another handshake.
    pub const LINK: u8 = 14;
    /// How many operations there are; a larger byte stands for its remainder.
    pub const COUNT: u8 = 15;
}

/// The first bytes and operations of the `authenticator_machine` target.
pub mod authenticator {
    /// Flags of the first byte: the driver can listen for L2CAP.
    pub const L2CAP: u8 = 1;
    /// Flags of the first byte: offer linking information.
    pub const OFFER_LINK: u8 = 2;
    /// Flags of the first byte: the code offers linking.
    pub const CODE_LINKING: u8 = 4;
    /// Flags of the first byte: take digital credentials as well.
    pub const DIGITAL: u8 = 8;
    /// Flags of the first byte: answer a call in place of a code.
    pub const CALL: u8 = 16;
    /// Flags of the first byte: over BLE, the client sends lengths.
    pub const LENGTHS: u8 = 32;

    /// The tunnel is open: byte choosing the channel, byte whose lowest bit is whether a routing ID came, it (3).
    pub const OPENED: u8 = 0;
    /// A dial failed: byte choosing the channel, byte choosing why.
    pub const DIAL_FAILED: u8 = 1;
    /// The driver listens for L2CAP: PSM (2).
    pub const LISTENING: u8 = 2;
    /// The driver cannot listen.
    pub const UNAVAILABLE: u8 = 3;
    /// A device connected over L2CAP.
    pub const ACCEPTED: u8 = 4;
    /// Any message: byte choosing the channel, chunk.
    pub const MESSAGE: u8 = 5;
    /// The client starts the handshake: byte choosing the channel, byte of damage (0 for none), byte saying where.
    pub const HANDSHAKE: u8 = 6;
    /// The client sends a frame: byte choosing the channel, chunk of plaintext.
    pub const FRAME: u8 = 7;
    /// A channel closed: byte choosing it.
    pub const CLOSED: u8 = 8;
    /// Time passes: quarters of seconds (2).
    pub const WAIT: u8 = 9;
    /// The caller answers: chunk.
    pub const REPLY: u8 = 10;
    /// The caller is done.
    pub const SHUTDOWN: u8 = 11;
    /// How many operations there are; a larger byte stands for its remainder.
    pub const COUNT: u8 = 12;
}

/// The first byte and steps of the `packets` target.
pub mod packets {
    /// Flags of the first byte: messages have lengths, and not ends.
    pub const LENGTHS: u8 = 1;
    /// Flags of the first byte: no handshake message comes first, but any packet: chunk.
    pub const STRANGER: u8 = 2;

    /// A message with its end or length, in packets of a size: byte of size, chunk.
    pub const MESSAGE: u8 = 0;
    /// A message, and its end or length in a packet of its own: chunk.
    pub const APART: u8 = 1;
    /// A message without its end, or with its length in one packet: chunk.
    pub const BARE: u8 = 2;
    /// The same bytes again and again: byte of times, chunk.
    pub const FLOOD: u8 = 3;
    /// Any packet: chunk.
    pub const PACKET: u8 = 4;
    /// How many kinds of steps there are; a larger byte stands for its remainder.
    pub const COUNT: u8 = 5;
}

/// The steps of the `security_key` target.
pub mod security_key {
    /// A whole message: byte choosing the channel, command, chunk.
    pub const MESSAGE: u8 = 0;
    /// Any report: byte choosing the channel, kind, chunk.
    pub const REPORT: u8 = 1;
    /// The person agrees, or not: byte choosing the ticket, byte whose lowest bit is the answer.
    pub const TOUCH: u8 = 2;
    /// The person closes the window: byte choosing the ticket.
    pub const CLOSE_WINDOW: u8 = 3;
    /// The phone replies: byte choosing the ticket, chunk.
    pub const REPLY: u8 = 4;
    /// The last program closes the device.
    pub const GONE: u8 = 5;
    /// Time passes: sixteenths of seconds (2).
    pub const WAIT: u8 = 6;
    /// How many kinds of steps there are; a larger byte stands for its remainder.
    pub const COUNT: u8 = 7;
}

/// Takes values from the front of the input. What is missing at its end reads as zeros.
#[derive(Debug)]
pub struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// Reads these bytes.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        let mut array = [0; N];
        array.iter_mut().zip(taken).for_each(|(to, from)| *to = *from);
        array
    }

    /// Two bytes of length, little-endian, and as many bytes, or what is left.
    pub fn chunk(&mut self) -> &'b [u8] {
        let length = usize::from(u16::from_le_bytes(self.array()));
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Everything that is left.
    pub const fn rest(self) -> &'b [u8] {
        self.0
    }
}

/// Puts values where [`Reader`] finds them.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// One byte.
    pub fn byte(self, byte: u8) -> Self {
        self.fixed(&[byte])
    }

    /// Bytes whose number the reader knows, or the rest.
    pub fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes with their length. At most 65,535.
    pub fn chunk(self, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.fixed(&length.to_le_bytes()).fixed(&bytes[..usize::from(length)])
    }

    /// The seed.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
