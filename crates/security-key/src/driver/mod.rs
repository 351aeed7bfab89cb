//! The virtual security key at work: moves reports, asks people and phones, and holds no rule.

use std::{future::pending, io, pin::Pin, time::Instant};

use hybridge_client::{Error, Progress};
use tokio::{select, sync::mpsc, time::sleep_until};

use crate::{
    ctap::StatusCode,
    hid::{Report, Waiting},
    key::{Action, KeyMachine, PhoneRequest, Ticket},
};

mod phone;
mod status;
#[cfg(test)]
mod tests;
mod window;

pub use phone::{HybridPhone, PhoneBackend, Radios};
use status::status_of;
pub use window::{Consent, Decision, Notice, Outcome};

/// What comes from the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming {
    /// A program sent a report.
    Report(Report),
    /// The last program has closed the device.
    Closed,
}

/// Where programs are: `/dev/uhid`, the helper's socket, or a test.
pub trait ReportChannel: Send {
    /// Waits for what comes next.
    ///
    /// # Errors
    /// [`io::Error`] when the device is gone.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    fn receive(&mut self) -> impl Future<Output = io::Result<Incoming>> + Send;

    /// Sends a report to the programs.
    ///
    /// # Errors
    /// [`io::Error`] when the device is gone.
    ///
    /// # Cancel safety
    /// The report may have been sent or not.
    fn send(&mut self, report: &Report) -> impl Future<Output = io::Result<()>> + Send;
}

/// A virtual security key.
#[derive(Debug, Default)]
pub struct SecurityKey {
    machine: KeyMachine,
}

/// A phone that is being asked. Dropping it ends the session.
struct Asked {
    ticket: Ticket,
    reply: Pin<Box<dyn Future<Output = Result<Vec<u8>, Error>> + Send>>,
    progress: mpsc::UnboundedReceiver<Progress>,
}

/// What the driver heard.
enum Heard {
    Incoming(io::Result<Incoming>),
    Decision(Decision),
    Progress(Progress),
    Reply(Result<Vec<u8>, Error>),
    Timeout,
}

impl SecurityKey {
    /// A key that nobody has spoken to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves programs until their device is gone. Needs a tokio runtime with time.
    ///
    /// While no program asks for anything, nothing runs and no timer is set.
    ///
    /// # Errors
    /// The one that [`ReportChannel`] ended with.
    ///
    /// # Cancel safety
    /// Dropping the future ends the session with a phone, if there is one; programs get no reply.
    pub async fn serve(
        mut self,
        mut reports: impl ReportChannel,
        mut phone: impl PhoneBackend,
        mut window: impl Consent,
    ) -> io::Error {
        let mut asked = None;
        loop {
            let due = self.machine.poll_timeout();
            let heard = select! {
                biased;
                incoming = reports.receive() => Heard::Incoming(incoming),
                decision = window.decide() => Heard::Decision(decision),
                heard = hear(asked.as_mut()) => heard,
                () = until(due) => Heard::Timeout,
            };
            if let Err(gone) = self.take(heard, &mut asked, &mut window) {
                cancel(asked, &mut window);
                return gone;
            }
            while let Some(report) = self.machine.poll_report() {
                if let Err(gone) = reports.send(&report).await {
                    cancel(asked, &mut window);
                    return gone;
                }
            }
            while let Some(action) = self.machine.poll_action() {
                act(action, &mut asked, &mut phone, &mut window);
            }
        }
    }

    /// Tells the machine.
    fn take(&mut self, heard: Heard, asked: &mut Option<Asked>, window: &mut impl Consent) -> io::Result<()> {
        let now = now();
        match heard {
            Heard::Incoming(incoming) => match incoming? {
                Incoming::Report(report) => self.machine.handle_report(&report, now),
                Incoming::Closed => self.machine.handle_closed(now),
            },
            Heard::Decision(Decision::Agree(ticket)) => self.machine.handle_touch(ticket, true),
            Heard::Decision(Decision::Close(ticket)) => self.machine.handle_window_closed(ticket, now),
            Heard::Progress(progress) => self.progress(progress, asked.as_ref(), window, now),
            Heard::Reply(reply) => {
                if let Some(Asked { ticket, .. }) = asked.take() {
                    self.reply(ticket, reply, window, now);
                }
            }
            Heard::Timeout => self.machine.handle_timeout(now),
        }
        Ok(())
    }

    fn progress(
        &mut self,
        progress: Progress,
        asked: Option<&Asked>,
        window: &mut impl Consent,
        now: Instant,
    ) {
        let Some(Asked { ticket, .. }) = asked else { return };
        let waiting = match progress {
            Progress::ShowQr { .. } | Progress::WaitingForPhone => Waiting::ForPerson,
            _ => Waiting::Processing,
        };
        self.machine.handle_phone_waiting(*ticket, waiting, now);
        window.tell(Notice::Progress { ticket: *ticket, progress });
    }

    fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Vec<u8>, Error>,
        window: &mut impl Consent,
        now: Instant,
    ) {
        let (bytes, outcome) = match reply {
            Ok(bytes) => {
                let status = bytes.first().map_or(StatusCode::OTHER, |status| StatusCode(*status));
                (bytes, Outcome::Replied(status))
            }
            Err(error) => (status_of(&error).alone(), Outcome::Failed(error)),
        };
        self.machine.handle_phone_reply(ticket, bytes, now);
        window.tell(Notice::Over { ticket, outcome });
    }
}

/// What the phone that is being asked says; nothing without one.
async fn hear(asked: Option<&mut Asked>) -> Heard {
    let Some(Asked { reply, progress, .. }) = asked else { return pending().await };
    select! {
        biased;
        Some(progress) = progress.recv() => Heard::Progress(progress),
        reply = reply => Heard::Reply(reply),
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => pending().await,
    }
}

/// The runtime's clock, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn act(action: Action, asked: &mut Option<Asked>, phone: &mut impl PhoneBackend, window: &mut impl Consent) {
    match action {
        Action::AskForTouch { ticket } => window.tell(Notice::AskForTouch { ticket }),
        Action::StopAsking { ticket } => window.tell(Notice::Over { ticket, outcome: Outcome::Cancelled }),
        Action::StartPhone { ticket, request } => {
            let PhoneRequest { operation, rp_id, user, .. } = request.clone();
            window.tell(Notice::AskPhone { ticket, operation, rp_id, user });
            let (tell, progress) = mpsc::unbounded_channel();
            *asked = Some(Asked { ticket, reply: Box::pin(phone.ask(request, tell)), progress });
        }
        Action::CancelPhone { ticket } => {
            cancel(asked.take_if(|asked| asked.ticket == ticket), window);
        }
        Action::Wink => window.tell(Notice::Wink),
    }
}

/// Ends a session and closes its window.
fn cancel(asked: Option<Asked>, window: &mut impl Consent) {
    if let Some(Asked { ticket, .. }) = asked {
        window.tell(Notice::Over { ticket, outcome: Outcome::Cancelled });
    }
}
