//! One loop that moves bytes between the authenticator machine, the radio and the tunnel. It holds no protocol rule.

use std::{error::Error as _, future::pending, sync::Arc, time::Duration};

use hybridge_ble::{
    Advertisement, DynAdvertiser, DynHandle, RadioError, RadioFuture, ServiceUuid,
    l2cap::{DynL2capListener, DynL2capListening, DynL2capSocket},
};
use hybridge_proto::{
    advert::Psm,
    authenticator::{Action, AuthenticatorMachine, Event, ReplyError},
    channel::ChannelId,
};
use hybridge_tunnel::{ChannelPool, DialError, DynDialer, Report};
use tokio::time::Instant;

use crate::{error::Error, progress::Progress};

/// How long the goodbye may take, so that nothing is left after the second that is promised.
const FAREWELL: Duration = Duration::from_millis(900);

pub(crate) struct Driver {
    machine: AuthenticatorMachine,
    advertiser: Arc<dyn DynAdvertiser>,
    advert: Option<DynHandle>,
    listener: Option<Arc<dyn DynL2capListener>>,
    listening: Listening,
    channels: ChannelPool,
    last_dial_error: Option<DialError>,
}

/// How far listening for L2CAP connections is.
enum Listening {
    Off,
    Starting(RadioFuture<'static, Box<dyn DynL2capListening>>),
    On(Box<dyn DynL2capListening>),
}

/// What the radio has to say.
enum Radio {
    Listens(Box<dyn DynL2capListening>),
    Accepted(Box<dyn DynL2capSocket>),
    /// It does not listen, or not any more.
    Failed(RadioError),
}

impl Listening {
    /// Waits for the next news; forever if there can be none.
    async fn next(&mut self) -> Radio {
        let radio = match self {
            Self::Off => pending().await,
            Self::Starting(starting) => starting.await.map(Radio::Listens),
            Self::On(listening) => listening.accept_dyn().await.map(Radio::Accepted),
        };
        radio.unwrap_or_else(Radio::Failed)
    }
}

/// What a session has for its caller.
pub(crate) enum Next {
    Request(Vec<u8>),
    Over,
}

impl Driver {
    pub(crate) fn new(
        machine: AuthenticatorMachine,
        advertiser: Arc<dyn DynAdvertiser>,
        listener: Option<Arc<dyn DynL2capListener>>,
        dialer: Arc<dyn DynDialer>,
    ) -> Self {
        Self {
            machine,
            advertiser,
            advert: None,
            listener,
            listening: Listening::Off,
            channels: ChannelPool::new(dialer),
            last_dial_error: None,
        }
    }

    /// Runs until there is a request to answer or the session is over.
    ///
    /// Dropping the future loses nothing while a request is being answered: nothing is put on the air then.
    pub(crate) async fn next(&mut self, on_progress: &mut impl FnMut(Progress)) -> Result<Next, Error> {
        loop {
            self.carry_out().await?;
            while let Some(event) = self.machine.poll_event() {
                match event {
                    Event::TunnelUnavailable(error) => {
                        let reason = self.last_dial_error.as_ref().map(in_one_line);
                        on_progress(Progress::TunnelUnavailable { error, reason });
                    }
                    Event::Advertising => on_progress(Progress::Advertising),
                    Event::ClientConnected => on_progress(Progress::ClientConnected),
                    Event::CtapRequest(request) => return Ok(Next::Request(request)),
                    Event::Finished => return Ok(Next::Over),
                    Event::Failed(verdict) => {
                        return Err(Error::from_verdict(verdict, self.last_dial_error.take()));
                    }
                    // Not offered, so the machine does not let it through.
                    _ => {}
                }
            }
            self.wait().await;
        }
    }

    pub(crate) fn reply(&mut self, reply: &[u8]) -> Result<(), ReplyError> {
        self.machine.reply(now(), reply)
    }

    /// Hangs up properly, if that has not happened yet.
    pub(crate) async fn finish(mut self) {
        self.machine.shutdown();
        // Stopping the radio is the only action left that could fail, and it cannot.
        let _ = self.carry_out().await;
        drop((self.advert, self.listening));
        self.channels.finish(FAREWELL).await;
    }

    async fn wait(&mut self) {
        let due = self.machine.poll_timeout();
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(Instant::from_std(due)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            // The rare one first, so that a client that never falls silent cannot keep it from being seen.
            () = timer => self.machine.handle_timeout(now()),
            radio = self.listening.next() => self.radio(radio),
            (channel, report) = self.channels.next() => self.report(channel, report),
        }
    }

    fn radio(&mut self, radio: Radio) {
        match radio {
            Radio::Listens(listening) => {
                let psm = Psm(listening.psm_dyn());
                self.listening = Listening::On(listening);
                self.machine.handle_l2cap_listening(now(), psm);
            }
            Radio::Accepted(socket) => {
                let expected = self.machine.handle_l2cap_accepted();
                tracing::debug!(expected = expected.is_some(), "connection over Bluetooth");
                if let Some(channel) = expected {
                    self.channels.accept(channel, socket);
                }
            }
            Radio::Failed(error) => {
                tracing::debug!(%error, "not listening for connections");
                self.listening = Listening::Off;
                self.machine.handle_l2cap_unavailable(now());
            }
        }
    }

    async fn carry_out(&mut self) -> Result<(), RadioError> {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Dial { channel, request } => self.channels.dial(channel, request),
                Action::Advertise { service_data, connectable } => {
                    let advert = Advertisement::new(ServiceUuid::Fido, service_data);
                    let advert = if connectable { advert.connectable() } else { advert };
                    self.advert = Some(self.advertiser.advertise_dyn(advert).await?);
                }
                Action::ListenL2cap => {
                    if let Some(listener) = self.listener.clone() {
                        let starting = Box::pin(async move { listener.listen_dyn().await });
                        self.listening = Listening::Starting(starting);
                    }
                }
                Action::StopAdvertising => (self.advert, self.listening) = (None, Listening::Off),
                Action::Send { channel, message } => self.channels.send(channel, message),
                Action::Close { channel, code } => self.channels.close(channel, code),
                // There are no others that this driver was made for.
                _ => {}
            }
        }
        Ok(())
    }

    fn report(&mut self, channel: ChannelId, report: Report) {
        match report {
            // A woken authenticator joins a tunnel and needs no routing ID; the machine knows which it is.
            Report::Opened { routing_id, .. } => {
                tracing::debug!(%channel, "open");
                self.machine.handle_tunnel_opened(now(), channel, routing_id.ok());
            }
            Report::DialFailed(error) => {
                tracing::debug!(%channel, %error, "not opened");
                let failure = error.failure();
                self.last_dial_error = Some(error);
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

/// An error with its causes behind it.
fn in_one_line(error: &DialError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(" ({words})"));
        }
        cause = error.source();
    }
    text.replace(char::is_control, " ")
}

/// The runtime's clock, which tests can bend.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
