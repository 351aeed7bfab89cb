//! CTAPHID, the device's side, as a state machine without I/O (CTAP 2.1 section 11.2).
//!
//! # The calling contract
//!
//! [`CtapHid`] reads no clock and owns no device. A caller
//!
//! 1. tells what happened: [`CtapHid::handle_report`], [`CtapHid::handle_timeout`], each with the current [`Instant`];
//! 2. answers messages: [`CtapHid::reply`], and [`CtapHid::wait`] while that takes a while;
//! 3. after every such call drains [`CtapHid::poll_report`] and sends the reports in order, and
//!    [`CtapHid::poll_event`];
//! 4. calls [`CtapHid::handle_timeout`] when [`CtapHid::poll_timeout`] is due. While nobody asks for anything, nothing is.
//!
//! # What it decides
//!
//! There is one transaction at a time; other channels get CHANNEL_BUSY until it is over, except that they may ask for a
//! channel. A transaction is named by a [`TransactionId`], and a reply to one that is over goes nowhere: nobody gets an
//! answer meant for somebody else. A message that is not complete half a second after its last packet is given up. Memory is
//! bounded: one message, and [`MAX_CHANNELS`] numbers.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

mod channels;
mod command;
mod report;
#[cfg(test)]
mod tests;

use channels::Channels;
pub use channels::MAX_CHANNELS;
pub use command::Waiting;
use command::{Command, ERROR, HidError, KEEPALIVE};
pub(crate) use report::fragments;
use report::{CONTINUATION_DATA, INIT_DATA, Packet};
pub use report::{ChannelId, MAX_MESSAGE, REPORT_DESCRIPTOR, REPORT_SIZE, Report};

/// How long the next packet of a message may take.
pub const PACKET_TIMEOUT: Duration = Duration::from_millis(500);
/// How often a program that waits hears that the device is alive.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(100);
/// The longest that a channel can keep others out with LOCK, in seconds.
const MAX_LOCK: u8 = 10;
/// The version of the protocol.
const PROTOCOL_VERSION: u8 = 2;
/// Wink, CBOR. U2F messages are refused one by one, which old clients understand better than a missing command, and so the
/// flag that says "no U2F" is set as well.
const CAPABILITIES: u8 = 0x01 | 0x04 | 0x08;

/// Names one message that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(u64);

/// Which protocol a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A CTAP2 command byte and CBOR.
    Cbor,
    /// A U2F request.
    U2f,
}

/// What the caller has to know.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A program asks something. It waits for [`CtapHid::reply`].
    Message {
        /// The name of the question.
        transaction: TransactionId,
        /// Who asks.
        channel: ChannelId,
        /// The protocol.
        kind: Kind,
        /// What it asks: 1 to [`MAX_MESSAGE`] bytes.
        message: Vec<u8>,
    },
    /// The program wants the reply now, whatever it is.
    Cancel(TransactionId),
    /// The program has begun anew and does not wait any more.
    Aborted(TransactionId),
    /// A program wants the device to show where it is.
    Wink,
}

/// The machine. The calling contract is in the [module's text](self).
#[derive(Debug, Default)]
pub struct CtapHid {
    channels: Channels,
    state: State,
    lock: Option<Lock>,
    transactions: u64,
    reports: VecDeque<Report>,
    events: VecDeque<Event>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Assembling(Assembly),
    Working(Work),
}

/// A message of which packets are missing.
struct Assembly {
    channel: ChannelId,
    command: Command,
    length: usize,
    message: Vec<u8>,
    sequence: u8,
    deadline: Instant,
}

/// A message that waits for its reply.
#[derive(Debug)]
struct Work {
    channel: ChannelId,
    kind: Kind,
    transaction: TransactionId,
    keepalive: Option<(Waiting, Instant)>,
}

/// A channel that keeps others out.
#[derive(Debug)]
struct Lock {
    channel: ChannelId,
    until: Instant,
}

impl CtapHid {
    /// A device that nobody has spoken to.
    pub fn new() -> Self {
        Self::default()
    }

    /// A program sent a report.
    pub fn handle_report(&mut self, report: &Report, now: Instant) {
        match report.packet() {
            Packet::Init { channel, command, length, data } => {
                self.init_packet(channel, command, length, data, now)
            }
            Packet::Continuation { channel, sequence, data } => {
                self.continuation(channel, sequence, data, now)
            }
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Assembling(assembly) if assembly.deadline <= now => {
                let channel = assembly.channel;
                self.state = State::Idle;
                self.error(channel, HidError::MessageTimeout);
            }
            State::Working(Work { channel, keepalive: Some((waiting, due)), .. }) if *due <= now => {
                *due = now + KEEPALIVE_INTERVAL;
                self.reports.extend(fragments(*channel, KEEPALIVE, &[waiting.byte()]));
            }
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Assembling(assembly) => Some(assembly.deadline),
            State::Working(work) => work.keepalive.map(|(_, due)| due),
            State::Idle => None,
        }
    }

    /// The next report to send.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Answers a message. Without effect if nobody waits for that any more. `reply` has at most [`MAX_MESSAGE`] bytes.
    pub fn reply(&mut self, transaction: TransactionId, reply: &[u8]) {
        let State::Working(work) = &self.state else { return };
        if work.transaction == transaction {
            let command = if work.kind == Kind::Cbor { Command::Cbor } else { Command::Msg };
            self.reports.extend(fragments(work.channel, command.byte(), reply));
            self.state = State::Idle;
        }
    }

    /// Tells a program that waits for a CBOR reply what for: at once if that is news, and every 100 ms.
    pub fn wait(&mut self, transaction: TransactionId, waiting: Waiting, now: Instant) {
        let State::Working(work) = &mut self.state else { return };
        let news = work.keepalive.is_none_or(|(told, _)| told != waiting);
        if work.transaction == transaction && work.kind == Kind::Cbor && news {
            work.keepalive = Some((waiting, now));
            self.handle_timeout(now);
        }
    }

    /// Nobody has the device open any more: what was going on is aborted. Channels are kept.
    pub fn handle_closed(&mut self) {
        self.abort();
        self.lock = None;
        self.reports.clear();
    }

    fn init_packet(&mut self, channel: ChannelId, command: u8, length: usize, data: &[u8], now: Instant) {
        let command = Command::from_byte(command);
        let broadcast = channel == ChannelId::BROADCAST;
        if !(self.channels.touch(channel) || (broadcast && command == Some(Command::Init))) {
            return self.error(channel, HidError::InvalidChannel);
        }
        match command {
            Some(Command::Init) => self.init(channel, length, data),
            Some(Command::Cancel) => self.cancel(channel),
            _ => self.begin(channel, command, length, data, now),
        }
    }

    /// Gives out a channel, or begins anew on one.
    fn init(&mut self, channel: ChannelId, length: usize, data: &[u8]) {
        let Some(nonce) = data.first_chunk::<8>().filter(|_| Command::Init.takes(length)) else {
            return self.error(channel, HidError::InvalidLength);
        };
        let given = if channel == ChannelId::BROADCAST {
            self.channels.allocate(self.busy().or(self.lock.as_ref().map(|lock| lock.channel)))
        } else {
            if self.busy() == Some(channel) {
                self.abort();
            }
            channel
        };
        let version = [PROTOCOL_VERSION, 0, 1, 0, CAPABILITIES];
        let reply = [nonce.as_slice(), &given.0.to_be_bytes(), &version].concat();
        self.reports.extend(fragments(channel, Command::Init.byte(), &reply));
    }

    fn cancel(&mut self, channel: ChannelId) {
        if let State::Working(Work { channel: waits, transaction, kind: Kind::Cbor, .. }) = &self.state
            && *waits == channel
        {
            self.events.push_back(Event::Cancel(*transaction));
        }
    }

    fn begin(
        &mut self,
        channel: ChannelId,
        command: Option<Command>,
        length: usize,
        data: &[u8],
        now: Instant,
    ) {
        match &self.state {
            State::Assembling(assembly) if assembly.channel == channel => {
                self.state = State::Idle;
                return self.error(channel, HidError::InvalidSequence);
            }
            State::Assembling(_) | State::Working(_) => return self.error(channel, HidError::ChannelBusy),
            State::Idle => {}
        }
        if self.lock.as_ref().is_some_and(|lock| lock.channel != channel && now < lock.until) {
            return self.error(channel, HidError::ChannelBusy);
        }
        let Some(command) = command else { return self.error(channel, HidError::InvalidCommand) };
        if length > MAX_MESSAGE || !command.takes(length) {
            return self.error(channel, HidError::InvalidLength);
        }
        let message = data.get(..length.min(INIT_DATA)).unwrap_or_default().to_vec();
        let deadline = now + PACKET_TIMEOUT;
        self.assembled(Assembly { channel, command, length, message, sequence: 0, deadline }, now);
    }

    fn continuation(&mut self, channel: ChannelId, sequence: u8, data: &[u8], now: Instant) {
        // What belongs to nothing is not answered, as its sender may not have been the one who began.
        let State::Assembling(assembly) = &self.state else { return };
        if assembly.channel != channel {
            return;
        }
        let State::Assembling(mut assembly) = std::mem::take(&mut self.state) else { return };
        if assembly.sequence != sequence {
            return self.error(channel, HidError::InvalidSequence);
        }
        let missing = assembly.length.saturating_sub(assembly.message.len());
        assembly.message.extend(data.iter().take(missing.min(CONTINUATION_DATA)));
        assembly.sequence = sequence.saturating_add(1);
        assembly.deadline = now + PACKET_TIMEOUT;
        self.assembled(assembly, now);
    }

    /// Goes on collecting, or carries out what is complete.
    fn assembled(&mut self, assembly: Assembly, now: Instant) {
        if assembly.message.len() < assembly.length {
            self.state = State::Assembling(assembly);
            return;
        }
        let Assembly { channel, command, message, .. } = assembly;
        match command {
            Command::Ping => self.reports.extend(fragments(channel, command.byte(), &message)),
            Command::Wink => {
                self.events.push_back(Event::Wink);
                self.reports.extend(fragments(channel, command.byte(), &[]));
            }
            Command::Lock => self.lock(channel, &message, now),
            Command::Cbor => self.ask(channel, Kind::Cbor, message),
            Command::Msg => self.ask(channel, Kind::U2f, message),
            // Carried out before anything is assembled.
            Command::Init | Command::Cancel => {}
        }
    }

    fn lock(&mut self, channel: ChannelId, seconds: &[u8], now: Instant) {
        self.lock = match seconds {
            [0] => None,
            [seconds @ 1..=MAX_LOCK] => {
                Some(Lock { channel, until: now + Duration::from_secs(u64::from(*seconds)) })
            }
            _ => return self.error(channel, HidError::InvalidParameter),
        };
        self.reports.extend(fragments(channel, Command::Lock.byte(), &[]));
    }

    fn ask(&mut self, channel: ChannelId, kind: Kind, message: Vec<u8>) {
        self.transactions = self.transactions.wrapping_add(1);
        let transaction = TransactionId(self.transactions);
        self.state = State::Working(Work { channel, kind, transaction, keepalive: None });
        self.events.push_back(Event::Message { transaction, channel, kind, message });
    }

    /// Ends what is going on without a reply.
    fn abort(&mut self) {
        if let State::Working(work) = std::mem::take(&mut self.state) {
            self.events.push_back(Event::Aborted(work.transaction));
        }
    }

    /// The channel whose turn it is.
    const fn busy(&self) -> Option<ChannelId> {
        match &self.state {
            State::Idle => None,
            State::Assembling(assembly) => Some(assembly.channel),
            State::Working(work) => Some(work.channel),
        }
    }

    fn error(&mut self, channel: ChannelId, error: HidError) {
        self.reports.extend(fragments(channel, ERROR, &[error.byte()]));
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { transaction, channel, kind, message } => {
                write!(f, "Message({transaction:?}, {channel:?}, {kind:?}, {} bytes)", message.len())
            }
            Self::Cancel(transaction) => write!(f, "Cancel({transaction:?})"),
            Self::Aborted(transaction) => write!(f, "Aborted({transaction:?})"),
            Self::Wink => f.write_str("Wink"),
        }
    }
}

impl fmt::Debug for Assembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Assembly({:?}, {:?}, {} of {} bytes)",
            self.channel,
            self.command,
            self.message.len(),
            self.length
        )
    }
}
