//! An authenticator's machine, its clock, and the log of what it did and told.

use core::time::Duration;
use std::time::Instant;

use hybridge_proto::{
    authenticator::{Action, AuthenticatorConfig, AuthenticatorMachine, IncomingCall, StartError},
    channel::{ChannelId, DialFailure},
    ids::RoutingId,
    packets::Framing,
    qr::QrCode,
};

use super::{HandLaptop, HandSession, hand::GET_INFO};
use crate::pair::sim::{Dice, authenticator_event, domain_of, machine_rng, unwrapped};

pub(super) struct PhoneDesk {
    pub(super) machine: AuthenticatorMachine,
    now: Instant,
    log: Vec<String>,
    /// Dialed and accepted.
    channels: Vec<ChannelId>,
    /// The dialed ones.
    tunnels: Vec<ChannelId>,
    /// What is expected of the machine over BLE.
    pub(super) framing: Framing,
    pub(super) adverts: Vec<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

pub(super) fn config() -> AuthenticatorConfig {
    AuthenticatorConfig::new(domain_of(0), GET_INFO)
}

impl PhoneDesk {
    pub(super) fn scan(config: AuthenticatorConfig, code: &QrCode) -> Result<Self, StartError> {
        let now = Instant::now();
        let machine = AuthenticatorMachine::answer_code(config, code, machine_rng(0, 200), now)?;
        Ok(Self::with(machine, now))
    }

    pub(super) fn called(config: AuthenticatorConfig, call: IncomingCall) -> Self {
        let now = Instant::now();
        let machine = AuthenticatorMachine::answer_call(config, call, machine_rng(0, 200), now);
        Self::with(machine.expect("a hashed domain"), now)
    }

    fn with(machine: AuthenticatorMachine, now: Instant) -> Self {
        let (log, channels, adverts) = (Vec::new(), Vec::new(), Vec::new());
        let (tunnels, framing) = (Vec::new(), Framing::CrLf);
        let mut desk = Self { machine, now, log, channels, tunnels, framing, adverts, sent: Vec::new() };
        desk.settle();
        desk
    }

    pub(super) fn settle(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            self.note_action(action);
        }
        while let Some(event) = self.machine.poll_event() {
            self.log.push(authenticator_event(&event));
        }
    }

    fn note_action(&mut self, action: Action) {
        self.log.push(match action {
            Action::Dial { channel, .. } => {
                self.channels.push(channel);
                self.tunnels.push(channel);
                format!("Dial {channel}")
            }
            Action::Advertise { service_data, connectable } => {
                self.adverts.push(service_data);
                format!("Advertise {connectable}")
            }
            Action::Send { channel, message } => {
                self.sent.push(match self.tunnels.contains(&channel) {
                    true => message,
                    false => unwrapped(self.framing, &message),
                });
                format!("Send {channel}")
            }
            Action::Close { channel, code } => format!("Close {channel} {code}"),
            other => format!("{other:?}"),
        });
    }

    /// What happened since the last look, actions before events.
    pub(super) fn log(&mut self) -> Vec<String> {
        core::mem::take(&mut self.log)
    }

    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Lets time pass, with every timer at its time.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.machine.handle_timeout(self.now);
            self.settle();
            let next = self.machine.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a timer that stays due");
        }
        self.now = end;
    }

    /// A device connects over BLE.
    pub(super) fn accept(&mut self) {
        let accepted = self.machine.handle_l2cap_accepted();
        self.channels.extend(accepted);
    }

    /// A channel of now or of the past.
    pub(super) fn any_channel(&self, dice: &mut Dice) -> ChannelId {
        self.channels[dice.index(self.channels.len())]
    }

    /// The latest channel.
    pub(super) fn channel(&self) -> ChannelId {
        *self.channels.last().expect("something was dialed")
    }

    pub(super) fn opened(&mut self, channel: ChannelId, routing: Option<[u8; 3]>) {
        self.machine.handle_tunnel_opened(self.now, channel, routing.map(RoutingId::from_bytes));
        self.settle();
    }

    pub(super) fn failed(&mut self, channel: ChannelId, failure: DialFailure) {
        self.machine.handle_dial_failed(self.now, channel, failure);
        self.settle();
    }

    pub(super) fn closed(&mut self, channel: ChannelId) {
        self.machine.handle_channel_closed(self.now, channel);
        self.settle();
    }

    pub(super) fn receive(&mut self, channel: ChannelId, message: Vec<u8>) {
        self.machine.handle_message(self.now, channel, message);
        self.settle();
    }

    pub(super) fn shutdown(&mut self) {
        self.machine.shutdown();
        self.settle();
    }

    /// All messages since the last look.
    pub(super) fn sent(&mut self) -> Vec<Vec<u8>> {
        core::mem::take(&mut self.sent)
    }

    /// A desk that is on the air, and an empty log.
    pub(super) fn advertising(config: AuthenticatorConfig, laptop: &HandLaptop) -> (Self, ChannelId) {
        let mut desk = Self::scan(config, &laptop.code).expect("everything fits");
        let channel = desk.channel();
        desk.opened(channel, Some([1, 2, 3]));
        assert_eq!(desk.log().last().map(String::as_str), Some("Advertising"));
        (desk, channel)
    }

    /// A desk with a client, what was sent after message 2, and an empty log.
    pub(super) fn connected(
        config: AuthenticatorConfig,
        laptop: &HandLaptop,
    ) -> (Self, ChannelId, HandSession, Vec<Vec<u8>>) {
        let (mut desk, channel) = Self::advertising(config, laptop);
        let (initiator, message_1) = laptop.start(&desk.adverts[0]);
        desk.receive(channel, message_1);
        assert!(desk.log().contains(&"ClientConnected".to_owned()));
        let mut frames = desk.sent();
        let established = initiator.finish(&frames.remove(0)).expect("the phone of this code");
        (desk, channel, HandSession::new(established), frames)
    }
}
