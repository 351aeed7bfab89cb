//! One loop that moves bytes between the client machine, the radio and the tunnels. It holds no protocol rule.

use std::{collections::HashMap, sync::Arc, time::Duration};

use hybridge_ble::{
    AddressKind, DeviceAddress, DynScan, DynScanner, RadioError, Sighting, l2cap::DynL2capConnector,
};
use hybridge_proto::{
    channel::{ChannelId, Route, SightingId},
    client::{Action, CallId, ClientMachine, Event, FoundBy, RequestError},
    message::Features,
};
use hybridge_tunnel::{ChannelPool, DialError, DynDialer, Report};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    error::Error,
    progress::{Progress, from_event},
};

/// How long the goodbye may take, so that nothing is left after the second that is promised.
const FAREWELL: Duration = Duration::from_millis(900);

/// What the caller wants.
pub(crate) enum Command {
    Request { number: u64, request: Request, timeout: Duration },
    Shutdown,
}

/// What goes to the phone.
pub(crate) enum Request {
    Ctap(Vec<u8>),
    Json(Vec<u8>),
}

/// What the caller hears.
pub(crate) enum Notice {
    Progress(Progress),
    Connected {
        get_info: Option<Vec<u8>>,
        features: Features,
    },
    /// What became of the request with this number.
    Reply(u64, Result<Vec<u8>, RequestError>),
    /// The last one.
    Over(Result<(), Error>),
}

/// What the driver does with Bluetooth.
pub(crate) struct Radios {
    pub(crate) scanner: Arc<dyn DynScanner>,
    /// If the machine may dial over L2CAP.
    pub(crate) connector: Option<Arc<dyn DynL2capConnector>>,
}

pub(crate) struct Driver {
    machine: ClientMachine,
    /// The remembered phones that are called from the start.
    calls: Vec<CallId>,
    radios: Radios,
    commands: mpsc::Receiver<Command>,
    notices: mpsc::UnboundedSender<Notice>,
    scan: Option<Box<dyn DynScan>>,
    channels: ChannelPool,
    /// Which request the next reply belongs to.
    waiting: Option<u64>,
    /// What the dialer said last about a channel that did not open.
    dial_errors: HashMap<ChannelId, DialError>,
    last_dial_error: Option<DialError>,
}

/// What woke the loop.
enum Wake {
    Heard(Result<Sighting, RadioError>),
    Commanded(Command),
    Reported(ChannelId, Report),
    Due,
}

impl Driver {
    pub(crate) fn new(
        machine: ClientMachine,
        calls: Vec<CallId>,
        radios: Radios,
        dialer: Arc<dyn DynDialer>,
        commands: mpsc::Receiver<Command>,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self {
            machine,
            calls,
            radios,
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
        let caller = self.notices.clone();
        let over = tokio::select! {
            biased;
            // Also while the radio takes its time to start.
            () = caller.closed() => None,
            over = self.work() => Some(over),
        };
        let over = over.unwrap_or_else(|| {
            self.machine.shutdown(now());
            while let Some(action) = self.machine.poll_action() {
                self.act(action);
            }
            Err(Error::Cancelled)
        });
        self.end(over).await;
    }

    async fn work(&mut self) -> Result<(), Error> {
        loop {
            self.carry_out().await?;
            if let Some(over) = self.tell() {
                return over;
            }
            match self.wait().await {
                Wake::Heard(sighting) => {
                    let Sighting { data, device, .. } = sighting?;
                    self.machine.handle_service_data(now(), &data, sighting_of(device));
                }
                Wake::Commanded(command) => self.command(command),
                Wake::Reported(channel, report) => self.report(channel, report),
                Wake::Due => self.machine.handle_timeout(now()),
            }
        }
    }

    async fn end(mut self, over: Result<(), Error>) {
        match &over {
            Ok(()) => tracing::debug!("session over"),
            Err(error) => tracing::debug!(%error, "session over"),
        }
        self.scan = None;
        let _ = self.notices.send(Notice::Over(over));
        // The caller knows that all has been said when the queue of notices ends, which is after this.
        self.channels.finish(FAREWELL).await;
    }

    /// Waits for what comes first. Of several things at once, those come first that are rare or that somebody waits
    /// for: the air may be crowded.
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
            biased;
            () = timer => Wake::Due,
            Some(command) = self.commands.recv() => Wake::Commanded(command),
            (channel, report) = self.channels.next() => Wake::Reported(channel, report),
            heard = scan => Wake::Heard(heard),
        }
    }

    async fn carry_out(&mut self) -> Result<(), RadioError> {
        while let Some(action) = self.machine.poll_action() {
            if action != Action::StartScan {
                self.act(action);
                continue;
            }
            self.scan = Some(self.radios.scanner.scan_dyn().await?);
            self.progress(Progress::Scanning);
            for call in std::mem::take(&mut self.calls) {
                self.progress(Progress::Connecting(FoundBy::Call(call)));
            }
        }
        Ok(())
    }

    /// Carries out what takes no time.
    fn act(&mut self, action: Action) {
        match action {
            Action::StopScan => self.scan = None,
            Action::Dial { channel, route: Route::Tunnel(request) } => self.channels.dial(channel, request),
            Action::Dial { channel, route: Route::L2cap { psm, sighting } } => {
                if let Some(connector) = &self.radios.connector {
                    self.channels.connect(channel, Arc::clone(connector), device_of(sighting), psm.0);
                }
            }
            Action::Send { channel, message } => self.channels.send(channel, message),
            Action::Close { channel, code } => self.channels.close(channel, code),
            // There are no others that this driver was made for.
            _ => {}
        }
    }

    /// Passes on what happened; gives the outcome once it is all over.
    fn tell(&mut self) -> Option<Result<(), Error>> {
        while let Some(event) = self.machine.poll_event() {
            if let Event::AttemptFailed { channel, .. } = &event {
                self.last_dial_error = self.dial_errors.remove(channel);
            }
            let dialing = matches!(event, Event::PhoneNearby { found_by: FoundBy::Code });
            match from_event(event) {
                Ok(progress) => self.progress(progress),
                Err(Event::Connected { found_by, get_info, features }) => {
                    self.progress(Progress::Connected(found_by));
                    self.notify(Notice::Connected { get_info, features });
                }
                Err(Event::CtapReply(reply) | Event::JsonReply(reply)) => {
                    if let Some(number) = self.waiting.take() {
                        self.notify(Notice::Reply(number, Ok(reply)));
                    }
                }
                Err(Event::Failed(verdict)) => {
                    return Some(Err(Error::from_verdict(verdict, self.last_dial_error.take())));
                }
                Err(Event::Finished) => return Some(Ok(())),
                Err(_) => {}
            }
            if dialing {
                self.progress(Progress::Connecting(FoundBy::Code));
            }
        }
        None
    }

    fn progress(&self, progress: Progress) {
        tracing::debug!(step = progress.name(), "progress");
        self.notify(Notice::Progress(progress));
    }

    fn notify(&self, notice: Notice) {
        // The caller may have left, which ends the session in a moment.
        let _ = self.notices.send(notice);
    }

    fn command(&mut self, command: Command) {
        let (number, sent) = match command {
            Command::Request { number, request: Request::Ctap(request), timeout } => {
                (number, self.machine.send_ctap(now(), &request, timeout))
            }
            Command::Request { number, request: Request::Json(request), timeout } => {
                (number, self.machine.send_json(now(), &request, timeout))
            }
            Command::Shutdown => return self.machine.shutdown(now()),
        };
        match sent {
            Ok(()) => {
                self.waiting = Some(number);
                self.progress(Progress::WaitingForPhone);
            }
            Err(error) => self.notify(Notice::Reply(number, Err(error))),
        }
    }

    fn report(&mut self, channel: ChannelId, report: Report) {
        match report {
            Report::Opened { signal, .. } => {
                tracing::debug!(%channel, signal, "open");
                self.machine.handle_channel_opened(now(), channel, signal);
            }
            Report::DialFailed(error) => {
                tracing::debug!(%channel, %error, "not opened");
                let failure = error.failure();
                self.dial_errors.insert(channel, error);
                self.machine.handle_dial_failed(now(), channel, failure);
            }
            Report::Message(message) => {
                tracing::trace!(%channel, length = message.len(), "message");
                self.machine.handle_message(now(), channel, message);
            }
            Report::Closed(error) => {
                tracing::debug!(%channel, %error, "closed");
                self.machine.handle_channel_closed(now(), channel);
            }
            _ => {}
        }
    }
}

/// The bit behind an address that says who gave it out.
const RANDOM: u64 = 1 << 48;

/// Where a sighting came from, as the number by which the machine knows it.
fn sighting_of(device: DeviceAddress) -> SightingId {
    let [a, b, c, d, e, f] = *device.bytes();
    let bytes = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    SightingId(if device.kind() == AddressKind::Random { bytes | RANDOM } else { bytes })
}

fn device_of(sighting: SightingId) -> DeviceAddress {
    let [_, _, a, b, c, d, e, f] = sighting.0.to_be_bytes();
    let kind = if sighting.0 & RANDOM == 0 { AddressKind::Public } else { AddressKind::Random };
    DeviceAddress::new([a, b, c, d, e, f], kind)
}

/// The runtime's clock, which tests can bend.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_leads_back_to_its_device() {
        for kind in [AddressKind::Public, AddressKind::Random] {
            for bytes in [[0; 6], [0xFF; 6], [1, 2, 3, 4, 5, 6]] {
                let device = DeviceAddress::new(bytes, kind);
                assert_eq!(device_of(sighting_of(device)), device);
            }
        }
    }
}
