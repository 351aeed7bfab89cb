//! A recorded QR session played through the authenticator machine. What it says has to be the recorded bytes, but for
//! the two messages that it writes in its own words: the description and the update.

use std::time::{Duration, Instant};

use hybridge_proto::{
    authenticator::{Action, AuthenticatorConfig, AuthenticatorMachine, Event},
    channel::{ChannelId, CloseCode},
    ids::RoutingId,
    message::{Message, PostHandshake, Update},
    qr::QrCode,
};

use crate::{
    frame_reference,
    scripted_rng::ScriptedRng,
    tracked::{Node, Outcome},
};

/// A machine, where in time it is, and how many frames it has sent.
struct Authenticator<'a> {
    case: &'a Node<'a>,
    machine: AuthenticatorMachine,
    now: Instant,
    key: [u8; 32],
    sent: u32,
}

pub(super) fn run(case: &Node<'_>) -> Outcome {
    let code = case.accepted("the code", QrCode::parse(case.get("qr")?.text("uri")?))?;
    let frames = case.elements("frames")?;
    let first = frames.first().ok_or_else(|| case.fail("no frames"))?;
    let description = first.accepted("the message", PostHandshake::decode(&first.bytes("message")?))?;
    let mut authenticator = start(case, &code, &description)?;
    let channel = authenticator.advertises()?;
    authenticator.answers(channel, &description, code.effective_linking())?;
    for frame in &frames[1..] {
        authenticator.now += Duration::from_millis(10);
        let plaintext = frame.bytes("message")?;
        let message = frame.accepted("the message", Message::decode(&plaintext))?;
        match (frame.text("direction")?, &message) {
            ("client_to_authenticator", _) => {
                authenticator.hears(frame, channel, &message)?;
            }
            (_, Message::Ctap(reply) | Message::Json(reply)) => {
                frame.accepted("the reply", authenticator.machine.reply(authenticator.now, reply))?;
                let counter = authenticator.sent;
                let spoken = authenticator.speaks(channel)?;
                frame.expect_bytes("message", spoken.plaintext)?;
                if frame.number("counter")? == u64::from(counter) {
                    frame.expect_bytes("websocket_message", spoken.frame)?;
                }
            }
            // Sent with the description.
            _ => {}
        }
    }
    authenticator.machine.handle_channel_closed(authenticator.now, channel);
    case.ensure("the machine is not done", authenticator.machine.is_closed())?;
    let finished = authenticator.events().iter().all(|event| matches!(event, Event::Finished));
    case.ensure("the session did not end well", finished)
}

/// Scans the recorded code.
fn start<'a>(case: &'a Node<'a>, code: &QrCode, description: &PostHandshake) -> Outcome<Authenticator<'a>> {
    let plaintext = case.get("eid")?.array::<16>("plaintext")?;
    let ephemeral = case.array::<32>("responder_ephemeral_private")?;
    let rng = ScriptedRng::new([&plaintext[1..11], &ephemeral]);
    let domain = u16::from_le_bytes([plaintext[14], plaintext[15]]).into();
    let mut config = AuthenticatorConfig::new(domain, []);
    config.description = description.clone();
    let now = Instant::now();
    let machine = AuthenticatorMachine::answer_code(config, code, Box::new(rng), now);
    let machine = case.accepted("the code", machine)?;
    Ok(Authenticator { case, machine, now, key: case.array("authenticator_to_client_key")?, sent: 0 })
}

/// A frame and what it says.
struct Spoken {
    frame: Vec<u8>,
    plaintext: Vec<u8>,
}

impl Authenticator<'_> {
    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }

    fn does(&mut self, right: &Action) -> Outcome {
        self.case.same("the action", &self.machine.poll_action().as_ref(), &Some(right))
    }

    /// Opens its tunnel at the recorded address, then advertises the recorded bytes.
    fn advertises(&mut self) -> Outcome<ChannelId> {
        let tunnel = self.case.get("tunnel")?;
        let Some(Action::Dial { channel, request }) = self.machine.poll_action() else {
            return Err(self.case.fail("no tunnel is opened"));
        };
        tunnel.expect_text("new_url", &request.url())?;
        let routing = RoutingId::from_bytes(tunnel.array("routing_id")?);
        self.machine.handle_tunnel_opened(self.now, channel, Some(routing));
        let service_data = self.case.get("eid")?.bytes("advert")?;
        self.does(&Action::Advertise { service_data, connectable: false })?;
        Ok(channel)
    }

    /// Answers message 1 and describes itself.
    fn answers(&mut self, channel: ChannelId, description: &PostHandshake, linking: bool) -> Outcome {
        self.machine.handle_message(self.now, channel, self.case.bytes("message_1")?);
        self.does(&Action::StopAdvertising)?;
        self.does(&Action::Send { channel, message: self.case.bytes("message_2")? })?;
        let said = PostHandshake::decode(&self.speaks(channel)?.plaintext);
        self.case.same("the description", &said.as_ref(), &Ok(description))?;
        if linking {
            let said = Message::decode(&self.speaks(channel)?.plaintext);
            let Ok(Message::Update(map)) = &said else { return Err(self.case.fail("no update is sent")) };
            self.case.same("the update", &Update::decode(map), &Ok(Update::default()))?;
        }
        let events = self.events();
        let right = matches!(events.as_slice(), [Event::Advertising, Event::ClientConnected]);
        self.case.ensure("the client is not noticed", right)
    }

    /// The next frame, opened with the recorded key.
    fn speaks(&mut self, channel: ChannelId) -> Outcome<Spoken> {
        match self.machine.poll_action() {
            Some(Action::Send { channel: on, message: frame }) if on == channel => {
                let plaintext = frame_reference::open(&self.key, self.sent, &frame);
                let plaintext = plaintext.ok_or_else(|| self.case.fail("a frame does not open"))?;
                self.sent += 1;
                Ok(Spoken { frame, plaintext })
            }
            other => Err(self.case.fail(format_args!("{other:?} instead of a frame"))),
        }
    }

    fn hears(&mut self, frame: &Node<'_>, channel: ChannelId, message: &Message) -> Outcome {
        self.machine.handle_message(self.now, channel, frame.bytes("websocket_message")?);
        let right = match (message, self.events().as_slice()) {
            (Message::Ctap(payload), [Event::CtapRequest(request)]) => payload == request,
            (Message::Json(payload), [Event::JsonRequest(request)]) => payload == request,
            (Message::Shutdown, [Event::Finished]) => {
                self.does(&Action::Close { channel, code: CloseCode::NORMAL })?;
                true
            }
            _ => false,
        };
        frame.ensure("the machine did not take the message", right)
    }
}
