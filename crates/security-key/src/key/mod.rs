//! The virtual security key as a state machine without I/O: reports of programs in, reports and things to do out.
//!
//! # The calling contract
//!
//! [`KeyMachine`] reads no clock, opens no window and knows no phone. A driver
//!
//! 1. tells what happened: the `handle_*` methods, each with the current [`Instant`];
//! 2. after every such call drains [`KeyMachine::poll_report`] and sends the reports in order, then drains
//!    [`KeyMachine::poll_action`] and carries the actions out;
//! 3. calls [`KeyMachine::handle_timeout`] when [`KeyMachine::poll_timeout`] is due. While no program asks for anything,
//!    nothing is.
//!
//! Calls that come too late, such as the reply of a phone that was cancelled, are harmless.
//!
//! # What it decides
//!
//! What needs no person is answered at once and opens no window. A wish for a touch waits for a person to agree, since to
//! programs with several security keys the first touch decides, and a device that touches itself would always be first. A
//! wish for a passkey goes to the phone, with the full list of passkeys that the program has probed before. There is one
//! such wish at a time.
//!
//! Firefox takes OPERATION_DENIED for a failed fingerprint and asks again at once. So the same program asking for the same
//! within [`REPEAT`] of a no gets NOT_ALLOWED, on which it gives up, and no second window opens.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::{
    ctap::{Operation, Probed, Request, StatusCode, Wish, from_phone, u2f_reply},
    hid::{ChannelId, CtapHid, Event, Kind, MAX_MESSAGE, Report, TransactionId, Waiting},
};

#[cfg(test)]
mod tests;

/// How long a wish for a touch waits.
pub const TOUCH_PATIENCE: Duration = Duration::from_secs(120);
/// How long the phone may take, from the code on. A session gives up earlier by itself.
pub const PHONE_PATIENCE: Duration = Duration::from_secs(600);
/// How long a no holds for the same request of the same program.
pub const REPEAT: Duration = Duration::from_secs(3);

/// Names one thing that a person or phone was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What the driver has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Ask whether to use the phone, and report with [`KeyMachine::handle_touch`].
    AskForTouch {
        /// The name of the question.
        ticket: Ticket,
    },
    /// The question is over: close its window.
    StopAsking {
        /// The name of the question.
        ticket: Ticket,
    },
    /// Ask a phone, and report with [`KeyMachine::handle_phone_reply`].
    StartPhone {
        /// The name of the request.
        ticket: Ticket,
        /// What to ask.
        request: PhoneRequest,
    },
    /// The program does not want the reply any more: end the session, and close its window. No report is due.
    CancelPhone {
        /// The name of the request.
        ticket: Ticket,
    },
    /// A program wants to see which device this is.
    Wink,
}

/// What a phone is asked. `Debug` shows no contents.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhoneRequest {
    /// What for.
    pub operation: Operation,
    /// The relying party, as the program names it: 1 to 255 visible ASCII characters. A program can name any.
    pub rp_id: String,
    /// The name of the account that a passkey is made for, as the program writes it: any text.
    pub user: Option<String>,
    /// The CTAP command byte and its parameters, in canonical form.
    pub message: Vec<u8>,
}

/// The machine. The calling contract is in the [module's text](self). `Debug` shows what it waits for only.
#[derive(Default)]
pub struct KeyMachine {
    hid: CtapHid,
    pending: Option<Pending>,
    probed: Probed,
    refused: Option<Refused>,
    tickets: u64,
    actions: VecDeque<Action>,
}

/// What a program waits for.
struct Pending {
    ticket: Ticket,
    transaction: TransactionId,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    /// A person is to agree, and then this is the reply.
    Touch {
        reply: StatusCode,
    },
    Phone(Wanted),
}

/// Who wants what.
#[derive(Clone, PartialEq, Eq)]
struct Wanted {
    channel: ChannelId,
    operation: Operation,
    rp_id: String,
}

/// A wish that was answered with no.
struct Refused {
    wanted: Wanted,
    until: Instant,
}

impl KeyMachine {
    /// A key that nobody has spoken to.
    pub fn new() -> Self {
        Self::default()
    }

    /// A program sent a report.
    pub fn handle_report(&mut self, report: &Report, now: Instant) {
        self.hid.handle_report(report, now);
        self.settle(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.hid.handle_timeout(now);
        if self.pending.as_ref().is_some_and(|pending| pending.deadline <= now) {
            self.end(StatusCode::USER_ACTION_TIMEOUT);
        }
        self.settle(now);
    }

    /// A person agreed to use the phone, or did not.
    pub fn handle_touch(&mut self, ticket: Ticket, agreed: bool) {
        if let Some(Pending { transaction, stage: Stage::Touch { reply }, .. }) = self.pending_of(ticket) {
            let reply = if agreed { *reply } else { StatusCode::OPERATION_DENIED };
            let transaction = *transaction;
            self.pending = None;
            self.hid.reply(transaction, &reply.alone());
        }
    }

    /// A person closed the window, whatever it asked for.
    pub fn handle_window_closed(&mut self, ticket: Ticket, now: Instant) {
        if self.pending_of(ticket).is_some() {
            self.note_refusal(now);
            self.end(StatusCode::OPERATION_DENIED);
        }
    }

    /// What the program that waits for a phone waits for: the person with the phone, or the session.
    pub fn handle_phone_waiting(&mut self, ticket: Ticket, waiting: Waiting, now: Instant) {
        if let Some(Pending { transaction, stage: Stage::Phone(_), .. }) = self.pending_of(ticket) {
            let transaction = *transaction;
            self.hid.wait(transaction, waiting, now);
        }
    }

    /// The phone replied: a status byte and CBOR. One that cannot be asked is a status byte alone.
    pub fn handle_phone_reply(&mut self, ticket: Ticket, reply: Vec<u8>, now: Instant) {
        let Some(Pending { transaction, stage: Stage::Phone(wanted), .. }) = self.pending_of(ticket) else {
            return;
        };
        let (transaction, operation) = (*transaction, wanted.operation);
        let mut reply = from_phone(operation, reply);
        if reply.is_empty() || reply.len() > MAX_MESSAGE {
            reply = StatusCode::OTHER.alone();
        }
        if reply.first() == Some(&StatusCode::OPERATION_DENIED.0) {
            self.note_refusal(now);
        }
        self.pending = None;
        self.hid.reply(transaction, &reply);
    }

    /// No program has the device open any more: whoever asked is gone.
    pub fn handle_closed(&mut self, now: Instant) {
        self.hid.handle_closed();
        self.settle(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.pending.as_ref().map(|pending| pending.deadline);
        self.hid.poll_timeout().into_iter().chain(deadline).min()
    }

    /// The next report to send.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.hid.poll_report()
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.hid.poll_event() {
            match event {
                Event::Message { transaction, kind: Kind::U2f, message, .. } => {
                    self.hid.reply(transaction, &u2f_reply(&message));
                }
                Event::Message { transaction, channel, kind: Kind::Cbor, message } => {
                    self.ask(transaction, channel, &message, now);
                }
                Event::Cancel(transaction) if self.waits_for(transaction) => {
                    self.end(StatusCode::KEEPALIVE_CANCEL)
                }
                // Nobody reads the reply.
                Event::Aborted(transaction) if self.waits_for(transaction) => self.end(StatusCode::OTHER),
                Event::Cancel(_) | Event::Aborted(_) => {}
                Event::Wink => self.actions.push_back(Action::Wink),
            }
        }
    }

    fn ask(&mut self, transaction: TransactionId, channel: ChannelId, message: &[u8], now: Instant) {
        let reply = match Wish::read(message) {
            Err(status) => status.alone(),
            Ok(Wish::Known(reply)) => reply,
            Ok(Wish::Touch) => return self.ask_for_touch(transaction, StatusCode::SUCCESS, now),
            Ok(Wish::Passkey(request)) if request.only_touch => {
                return self.ask_for_touch(transaction, StatusCode::PIN_NOT_SET, now);
            }
            // No passkey stands under an AppID.
            Ok(Wish::Passkey(request)) if request.is_for_app_id() => StatusCode::NO_CREDENTIALS.alone(),
            Ok(Wish::Passkey(request)) if !request.user_presence => {
                let hash = Sha256::digest(&request.rp_id).into();
                self.probed.answer(channel, *request, &hash, now)
            }
            Ok(Wish::Passkey(request)) => match self.ask_phone(transaction, channel, *request, now) {
                Ok(()) => return,
                Err(status) => status.alone(),
            },
        };
        self.hid.reply(transaction, &reply);
    }

    fn ask_for_touch(&mut self, transaction: TransactionId, reply: StatusCode, now: Instant) {
        let ticket = self.ticket();
        let deadline = now + TOUCH_PATIENCE;
        self.pending = Some(Pending { ticket, transaction, stage: Stage::Touch { reply }, deadline });
        self.hid.wait(transaction, Waiting::ForPerson, now);
        self.actions.push_back(Action::AskForTouch { ticket });
    }

    fn ask_phone(
        &mut self,
        transaction: TransactionId,
        channel: ChannelId,
        request: Request,
        now: Instant,
    ) -> Result<(), StatusCode> {
        let wanted = Wanted { channel, operation: request.operation, rp_id: request.rp_id.clone() };
        let list = self.probed.full_list(channel, &request, now);
        if self.refused.as_ref().is_some_and(|refused| refused.wanted == wanted && now < refused.until) {
            return Err(StatusCode::NOT_ALLOWED);
        }
        let ticket = self.ticket();
        let deadline = now + PHONE_PATIENCE;
        self.pending = Some(Pending { ticket, transaction, stage: Stage::Phone(wanted), deadline });
        self.hid.wait(transaction, Waiting::Processing, now);
        let request = PhoneRequest {
            operation: request.operation,
            rp_id: request.rp_id.clone(),
            user: request.user.clone(),
            message: request.for_phone(&list),
        };
        self.actions.push_back(Action::StartPhone { ticket, request });
        Ok(())
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        Ticket(self.tickets)
    }

    fn pending_of(&self, ticket: Ticket) -> Option<&Pending> {
        self.pending.as_ref().filter(|pending| pending.ticket == ticket)
    }

    fn waits_for(&self, transaction: TransactionId) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.transaction == transaction)
    }

    fn note_refusal(&mut self, now: Instant) {
        if let Some(Pending { stage: Stage::Phone(wanted), .. }) = &self.pending {
            self.refused = Some(Refused { wanted: wanted.clone(), until: now + REPEAT });
        }
    }

    /// Ends what a program waits for with this status, and what was begun for it.
    fn end(&mut self, status: StatusCode) {
        let Some(Pending { ticket, transaction, stage, .. }) = self.pending.take() else { return };
        self.hid.reply(transaction, &status.alone());
        self.actions.push_back(match stage {
            Stage::Touch { .. } => Action::StopAsking { ticket },
            Stage::Phone(_) => Action::CancelPhone { ticket },
        });
    }
}

impl fmt::Debug for KeyMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.pending.as_ref().map(|pending| match pending.stage {
            Stage::Touch { .. } => "touch",
            Stage::Phone(_) => "phone",
        });
        f.debug_struct("KeyMachine").field("waits_for", &waits).finish_non_exhaustive()
    }
}

impl fmt::Debug for PhoneRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneRequest({:?}, {} bytes)", self.operation, self.message.len())
    }
}
