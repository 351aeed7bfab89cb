//! Whoever may end a ceremony: by a signal, or at its window.

use super::{
    error::Error,
    gui::{Answer, Answers},
    stop::Stop,
};

/// The person at the computer.
pub(crate) struct Person {
    pub(crate) stop: Stop,
    /// What the window says, if there is one.
    pub(crate) answers: Option<Answers>,
}

impl Person {
    /// Waits for the wish to end, and gives the reason.
    ///
    /// Dropping the future loses no wish.
    pub(crate) async fn ends_it(&mut self) -> Error {
        loop {
            match self.answer().await {
                Ok(Answer::Cancel) => return Error::Cancelled,
                // Nothing has failed, so these are about something that is over.
                Ok(Answer::Retry | Answer::BluetoothOn) => {}
                Err(why) => return why,
            }
        }
    }

    /// Waits for an answer of the window. A signal is an error; without a window there is no other end.
    pub(crate) async fn answer(&mut self) -> Result<Answer, Error> {
        let Self { stop, answers } = self;
        match answers {
            None => {
                stop.wait().await;
                Err(Error::Cancelled)
            }
            Some(answers) => tokio::select! {
                biased;
                () = stop.wait() => Err(Error::Cancelled),
                answer = answers.next() => answer,
            },
        }
    }
}
