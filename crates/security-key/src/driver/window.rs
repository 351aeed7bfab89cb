//! What a person sees and decides.

use hybridge_client::{Error, Progress};

use crate::{
    ctap::{Operation, StatusCode},
    key::Ticket,
};

/// What there is to be seen. `Debug` shows no code; it shows relying parties.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// Ask: "Use your phone?" A program has several security keys to choose from, and says for whom only when one has been
    /// chosen. Answered by [`Decision`].
    AskForTouch {
        /// The name of the question.
        ticket: Ticket,
    },
    /// A program wants a passkey, and a phone will be asked. Show who asks until [`Notice::Over`].
    AskPhone {
        /// The name of the request.
        ticket: Ticket,
        /// What for.
        operation: Operation,
        /// The relying party that the program names: visible ASCII. It cannot be checked: a program can name any.
        rp_id: String,
        /// The account's name in the program's words: any text, control characters included.
        user: Option<String>,
    },
    /// What the session with the phone tells: codes to show and to hide among it.
    Progress {
        /// The name of the request.
        ticket: Ticket,
        /// What happens.
        progress: Progress,
    },
    /// There is nothing left to decide: close the window, or say how it ended.
    Over {
        /// The name of what is over.
        ticket: Ticket,
        /// How it ended.
        outcome: Outcome,
    },
    /// A program wants to see which device this is.
    Wink,
}

/// How something ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The phone answered with this status.
    Replied(StatusCode),
    /// The phone could not be asked.
    Failed(Error),
    /// The program does not want it any more, or is gone; or the person closed the window.
    Cancelled,
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Use the phone, in answer to [`Notice::AskForTouch`]. Anything but a person's click here lets this key win over a
    /// real one.
    Agree(Ticket),
    /// The window is closed: the program is told that the person said no.
    Close(Ticket),
}

/// A window, or anything else that a person looks at.
pub trait Consent: Send {
    /// Shows something. Must not block.
    fn tell(&mut self, notice: Notice);

    /// Waits for a decision. One about something that is over has no effect.
    ///
    /// # Cancel safety
    /// Dropping the future must lose nothing.
    fn decide(&mut self) -> impl Future<Output = Decision> + Send;
}
