//! One loop that moves bytes between the client machine, the radio and the tunnels. It holds no protocol rule.

use std::{collections::HashMap, sync::Arc, time::Duration};

use hybridge_ble::{DynScan, DynScanner, RadioError, Sighting};
use hybridge_proto::{
    channel::{ChannelId, Route, SightingId},
    client::{Action, ClientMachine, Event, RequestError},
    message::Features,
};
use hybridge_tunnel::{ChannelPool, DialError, DynDialer, Report};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    error::Error,
    progress::{Progress, from_event},
};

/// How long the goodbye may take after the caller has left.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the caller wants.
pub(crate) enum Command {
    Ctap { request: Vec<u8>, timeout: Duration, reply: oneshot::Sender<Result<Vec<u8>, Error>> },
    Json { request: Vec<u8>, timeout: Duration, reply: oneshot::Sender<Result<Vec<u8>, Error>> },
    Shutdown,
}

/// What the caller hears.
pub(crate) enum Notice {
    Progress(Progress),
    Connected {
        get_info: Option<Vec<u8>>,
        features: Features,
    },
    /// The last one.
    Over(Result<(), Error>),
}

pub(crate) struct Driver {
    pub(crate) machine: ClientMachine,
    pub(crate) scanner: Arc<dyn DynScanner>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
    scan: Option<Box<dyn DynScan>>,
    channels: ChannelPool,
    /// Whom the next reply belongs to.
    waiting: Option<oneshot::Sender<Result<Vec<u8>, Error>>>,
    /// What the dialer said last about a channel that did not open.
    dial_errors: HashMap<ChannelId, Arc<DialError>>,
    last_dial_error: Option<Arc<DialError>>,
}

/// What woke the loop.
enum Wake {
    Heard(Result<Sighting, RadioError>),
    Commanded(Option<Command>),
    Reported(ChannelId, Report),
    Due,
}

impl Driver {
    pub(crate) fn new(
        machine: ClientMachine,
        scanner: Arc<dyn DynScanner>,
        dialer: Arc<dyn DynDialer>,
        commands: mpsc::Receiver<Command>,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self {
            machine,
            scanner,
            commands,
            notices,
            scan: None,
            channels: ChannelPool::new(dialer),
            waiting: None,
            dial_errors: HashMap::new(),
            last_dial_error: None,
        }
    }

    /// Runs until the machine is closed or the caller has left.
    pub(crate) async fn run(mut self) {
        let over = loop {
            if let Err(error) = self.carry_out().await {
                break Err(error.into());
            }
            if let Some(over) = self.tell() {
                break over;
            }
            match self.wait().await {
                Wake::Heard(Ok(sighting)) => {
                    self.machine.handle_service_data(now(), &sighting.data, SightingId::default());
                }
                Wake::Heard(Err(error)) => break Err(error.into()),
                Wake::Commanded(Some(command)) => self.command(command),
                Wake::Commanded(None) => {
                    self.machine.shutdown(now());
                    let _ = self.carry_out().await;
                    break Err(Error::Cancelled);
                }
                Wake::Reported(channel, report) => self.report(channel, report),
                Wake::Due => self.machine.handle_timeout(now()),
            }
        };
        self.end(over).await;
    }

    async fn end(mut self, over: Result<(), Error>) {
        self.scan = None;
        if let Some(waiting) = self.waiting.take() {
            let error = over.as_ref().err().cloned().unwrap_or(Error::Cancelled);
            let _ = waiting.send(Err(error));
        }
        let _ = self.notices.send(Notice::Over(over));
        self.channels.finish(FAREWELL).await;
    }

    async fn wait(&mut self) -> Wake {
        let due = self.machine.poll_timeout();
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(Instant::from_std(due)).await,
                None => std::future::pending().await,
            }
        };
        let scan = async {
            match &mut self.scan {
                Some(scan) => scan.next_dyn().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = scan => Wake::Heard(heard),
            command = self.commands.recv() => Wake::Commanded(command),
            (channel, report) = self.channels.next() => Wake::Reported(channel, report),
            () = timer => Wake::Due,
        }
    }

    async fn carry_out(&mut self) -> Result<(), RadioError> {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::StartScan => {
                    self.scan = Some(self.scanner.scan_dyn().await?);
                    self.progress(Progress::Scanning);
                }
                Action::StopScan => self.scan = None,
                Action::Dial { channel, route: Route::Tunnel(request) } => {
                    self.channels.dial(channel, request)
                }
                Action::Send { channel, message } => self.channels.send(channel, message),
                Action::Close { channel, code } => self.channels.close(channel, code),
                // The machine is not told that this driver can do anything else.
                _ => {}
            }
        }
        Ok(())
    }

    /// Passes on what happened; gives the outcome once it is all over.
    fn tell(&mut self) -> Option<Result<(), Error>> {
        while let Some(event) = self.machine.poll_event() {
            if let Event::AttemptFailed { channel, .. } = &event {
                self.last_dial_error = self.dial_errors.remove(channel);
            }
            let nearby = if let Event::PhoneNearby { found_by } = &event { Some(*found_by) } else { None };
            match from_event(event) {
                Ok(progress) => self.progress(progress),
                Err(Event::Connected { found_by, get_info, features }) => {
                    self.progress(Progress::Connected(found_by));
                    let _ = self.notices.send(Notice::Connected { get_info, features });
                }
                Err(Event::CtapReply(reply) | Event::JsonReply(reply)) => {
                    if let Some(waiting) = self.waiting.take() {
                        let _ = waiting.send(Ok(reply));
                    }
                }
                Err(Event::Failed(verdict)) => {
                    return Some(Err(Error::from_verdict(verdict, self.last_dial_error.take())));
                }
                Err(Event::Finished) => return Some(Ok(())),
                Err(_) => {}
            }
            if let Some(found_by) = nearby {
                self.progress(Progress::Connecting(found_by));
            }
        }
        None
    }

    fn progress(&self, progress: Progress) {
        tracing::debug!(kind = ?std::mem::discriminant(&progress), "progress");
        // The caller may have left; the loop hears of that from its commands.
        let _ = self.notices.send(Notice::Progress(progress));
    }

    fn command(&mut self, command: Command) {
        let (sent, reply) = match command {
            Command::Ctap { request, timeout, reply } => {
                (self.machine.send_ctap(now(), &request, timeout), reply)
            }
            Command::Json { request, timeout, reply } => {
                (self.machine.send_json(now(), &request, timeout), reply)
            }
            Command::Shutdown => return self.machine.shutdown(now()),
        };
        self.await_reply(sent, reply);
    }

    fn await_reply(
        &mut self,
        sent: Result<(), RequestError>,
        reply: oneshot::Sender<Result<Vec<u8>, Error>>,
    ) {
        match sent {
            Ok(()) => {
                self.waiting = Some(reply);
                self.progress(Progress::WaitingForPhone);
            }
            Err(error) => {
                let _ = reply.send(Err(error.into()));
            }
        }
    }

    fn report(&mut self, channel: ChannelId, report: Report) {
        tracing::trace!(%channel, kind = ?std::mem::discriminant(&report), "report");
        match report {
            Report::Opened { signal, .. } => self.machine.handle_channel_opened(now(), channel, signal),
            Report::DialFailed(error) => {
                let failure = error.failure();
                self.dial_errors.insert(channel, Arc::new(error));
                self.machine.handle_dial_failed(now(), channel, failure);
            }
            Report::Message(message) => self.machine.handle_message(now(), channel, message),
            Report::Closed(_) => self.machine.handle_channel_closed(now(), channel),
            _ => {}
        }
    }
}

/// The runtime's clock, which tests can bend.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
