//! From one peer's masked frames to the other peer's unmasked ones.

use core::ops::Range;

use super::{
    Control, Violation,
    head::{Head, MAX_HEAD, Opcode},
    mask,
};

/// Free bytes that must precede what is read, for a head whose first part came with an earlier read.
pub const HEADROOM: usize = MAX_HEAD;

/// What one peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest message in bytes.
    pub message: u64,
    /// Payload bytes of messages altogether.
    pub total: u64,
    /// Messages altogether.
    pub messages: u64,
}

/// What became of the bytes of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reframed {
    /// Where in the buffer the bytes for the other peer are.
    pub output: Range<usize>,
    /// How many data frames begin in it.
    pub frames: usize,
    /// What stands behind the output and stops it: a control frame that the service has to act on, or a violation,
    /// after which nothing more may be given in.
    pub stop: Option<Result<Control, Violation>>,
    /// Bytes of the buffer that are yet to be given in again.
    pub rest: Range<usize>,
}

/// The state between the reads of one peer's frames.
#[derive(Debug)]
pub struct Reframer {
    /// What the peer may send yet.
    limits: Limits,
    /// Payload bytes of the message that is under way.
    message: u64,
    /// Whether a message is under way, so that continuation frames are due.
    fragmented: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first bytes of a head, or none.
    Head(PartialHead),
    /// Within the payload of a data frame.
    Data { left: u64, mask: [u8; 4] },
    /// Within the payload of a control frame, which is small and kept until it is whole.
    Control(Box<PartialControl>),
}

#[derive(Debug, Default, Clone, Copy)]
struct PartialHead {
    bytes: [u8; MAX_HEAD],
    /// A byte and no more, as there is one of these per connection at rest.
    length: u8,
}

#[derive(Debug)]
struct PartialControl {
    opcode: Opcode,
    left: u64,
    mask: [u8; 4],
    payload: Vec<u8>,
}

impl Reframer {
    /// Starts at the beginning of a connection.
    pub const fn new(limits: Limits) -> Self {
        let head = PartialHead { bytes: [0; MAX_HEAD], length: 0 };
        Self { limits, message: 0, fragmented: false, state: State::Head(head) }
    }

    /// What the peer may send yet: the limits without what it has sent, the messages and frames under way included.
    pub const fn left(&self) -> Limits {
        self.limits
    }

    /// A number that changes with whatever comes in, except that it is the same before and after a control frame.
    pub(crate) fn mark(&self) -> u64 {
        let under_way = match &self.state {
            State::Head(partial) => partial.length.into(),
            State::Data { left, .. } => *left,
            State::Control(partial) => partial.left.wrapping_add(1),
        };
        self.limits.total.wrapping_add(self.limits.messages).wrapping_add(under_way)
    }

    /// Whether the output so far ends with a whole frame, so that a control frame may follow.
    pub const fn at_boundary(&self) -> bool {
        !matches!(self.state, State::Data { .. })
    }

    /// Rewrites the bytes of `buffer` at `input` in place. At least [`HEADROOM`] bytes before `input` are free to use.
    ///
    /// Stops at what the service has to act on; the rest of the input is still to be given in then.
    pub fn reframe(&mut self, buffer: &mut [u8], input: Range<usize>) -> Reframed {
        let mut done =
            Progress { at: input.start, end: input.end, output: input.start..input.start, frames: 0 };
        while done.at < done.end {
            let step = match &mut self.state {
                State::Head(_) => self.head(buffer, &mut done),
                State::Data { .. } => {
                    self.data(buffer, &mut done);
                    Ok(None)
                }
                State::Control(_) => self.control(buffer, &mut done),
            };
            if let Some(stop) = step.transpose() {
                return done.reframed(Some(stop));
            }
        }
        done.reframed(None)
    }

    /// Completes a head with the bytes at hand, and starts on what it announces.
    fn head(&mut self, buffer: &mut [u8], done: &mut Progress) -> Result<Option<Control>, Violation> {
        let State::Head(partial) = &mut self.state else { return Ok(None) };
        let before = usize::from(partial.length);
        let fresh = buffer.get(done.at..done.end).unwrap_or_default();
        let room = partial.bytes.iter_mut().skip(before);
        let copied = room.zip(fresh).map(|(to, from)| *to = *from).count();
        let known = before.saturating_add(copied);
        let Some(head) = Head::read(partial.bytes.get(..known).unwrap_or_default())? else {
            partial.length = u8::try_from(known).unwrap_or_default();
            done.at = done.at.saturating_add(copied);
            return Ok(None);
        };
        let (bytes, length) = (partial.bytes, head.length.saturating_sub(before));
        done.at = done.at.saturating_add(length);
        self.start(buffer, done, head, bytes)
    }

    fn start(
        &mut self,
        buffer: &mut [u8],
        done: &mut Progress,
        head: Head,
        bytes: [u8; MAX_HEAD],
    ) -> Result<Option<Control>, Violation> {
        if !matches!(head.opcode, Opcode::Binary | Opcode::Continuation) {
            let partial = PartialControl {
                opcode: head.opcode,
                left: head.payload,
                mask: head.mask,
                payload: Vec::new(),
            };
            self.state = State::Control(Box::new(partial));
            // An empty one is whole already, and no further byte may come to say so.
            return self.control(buffer, done);
        }
        self.count(head)?;
        done.frames = done.frames.saturating_add(1);
        done.put_head(buffer, &bytes, head.length.saturating_sub(4));
        self.state = match head.payload {
            0 => State::Head(PartialHead::default()),
            left => State::Data { left, mask: head.mask },
        };
        Ok(None)
    }

    /// Checks the rules about messages and takes the frame off the limits.
    fn count(&mut self, head: Head) -> Result<(), Violation> {
        if (head.opcode == Opcode::Continuation) != self.fragmented {
            return Err(Violation::Framing);
        }
        let so_far = if self.fragmented { self.message } else { 0 };
        if !self.fragmented {
            self.limits.messages = self.limits.messages.checked_sub(1).ok_or(Violation::Messages)?;
        }
        let message = so_far.checked_add(head.payload).filter(|message| *message <= self.limits.message);
        self.message = message.ok_or(Violation::Size)?;
        self.fragmented = !head.fin;
        self.limits.total = self.limits.total.checked_sub(head.payload).ok_or(Violation::Quota)?;
        Ok(())
    }

    fn data(&mut self, buffer: &mut [u8], done: &mut Progress) {
        let State::Data { left, mask } = &mut self.state else { return };
        let available = done.end.saturating_sub(done.at);
        let length = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
        done.put_payload(buffer, length, *mask);
        *left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        *mask = mask::advanced(*mask, length);
        if *left == 0 {
            self.state = State::Head(PartialHead::default());
        }
    }

    fn control(&mut self, buffer: &[u8], done: &mut Progress) -> Result<Option<Control>, Violation> {
        let State::Control(partial) = &mut self.state else { return Ok(None) };
        let available = done.end.saturating_sub(done.at);
        let length = usize::try_from(partial.left).unwrap_or(usize::MAX).min(available);
        let end = done.at.saturating_add(length);
        partial.payload.extend_from_slice(buffer.get(done.at..end).unwrap_or_default());
        partial.left = partial.left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        done.at = end;
        if partial.left > 0 {
            return Ok(None);
        }
        let mut payload = core::mem::take(&mut partial.payload);
        mask::apply(&mut payload, partial.mask);
        let opcode = partial.opcode;
        self.state = State::Head(PartialHead::default());
        match opcode {
            Opcode::Ping => Ok(Some(Control::Ping(payload))),
            Opcode::Close => Control::close(&payload).map(Some),
            _ => Ok(None),
        }
    }
}

/// How far one call has come.
struct Progress {
    /// The next byte to look at, and the end of what there is.
    at: usize,
    end: usize,
    /// What is ready for the other peer. Its end never passes `at`.
    output: Range<usize>,
    frames: usize,
}

impl Progress {
    /// Puts an unmasked head at the end of the output, just before the payload where that leaves no gap.
    fn put_head(&mut self, buffer: &mut [u8], masked: &[u8; MAX_HEAD], length: usize) {
        if self.output.is_empty() {
            let start = self.at.saturating_sub(length);
            self.output = start..start;
        }
        let end = self.output.end.saturating_add(length);
        let place = buffer.get_mut(self.output.end..end).unwrap_or_default();
        place.iter_mut().zip(masked).for_each(|(to, from)| *to = *from);
        if let [_, second, ..] = place {
            *second &= 0x7f;
        }
        self.output.end = end;
    }

    /// Unmasks the next `length` bytes and puts them at the end of the output.
    fn put_payload(&mut self, buffer: &mut [u8], length: usize, mask: [u8; 4]) {
        if self.output.is_empty() {
            self.output = self.at..self.at;
        }
        let from = self.at..self.at.saturating_add(length);
        let to = self.output.end..self.output.end.saturating_add(length);
        if from != to {
            buffer.copy_within(from, to.start);
        }
        mask::apply(buffer.get_mut(to.clone()).unwrap_or_default(), mask);
        self.at = self.at.saturating_add(length);
        self.output.end = to.end;
    }

    fn reframed(self, stop: Option<Result<Control, Violation>>) -> Reframed {
        Reframed { output: self.output, frames: self.frames, stop, rest: self.at..self.end }
    }
}

#[cfg(test)]
mod tests;
