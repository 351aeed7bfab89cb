//! A recorded QR session played through the client machine: the keys of the recording come out of its generator, and
//! every byte it says has to be the recorded one.

use std::time::{Duration, Instant};

use hybridge_proto::{
    channel::{ChannelId, Route, SightingId},
    client::{Action, ClientConfig, ClientMachine, Event},
    message::{Message, PostHandshake},
    qr::QrCode,
};

use crate::{
    scripted_rng::ScriptedRng,
    tracked::{Node, Outcome},
};

/// What a recording names in its own way.
pub(super) struct Recording<'a> {
    pub(super) case: &'a Node<'a>,
    pub(super) uri: &'a str,
    pub(super) identity_private: [u8; 32],
    pub(super) service_data: Vec<u8>,
    pub(super) connect_url: String,
}

/// A machine and where in time it is.
struct Client<'a> {
    case: &'a Node<'a>,
    machine: ClientMachine,
    now: Instant,
}

pub(super) fn run(recording: &Recording<'_>) -> Outcome {
    let case = recording.case;
    let code = case.accepted("the code", QrCode::parse(recording.uri))?;
    let mut client = start(recording, &code)?;
    let channel = client.dials(recording)?;
    client.machine.handle_channel_opened(client.now, channel, false);
    client.sends(channel, &case.bytes("message_1")?)?;
    client.machine.handle_message(client.now, channel, case.bytes("message_2")?);
    client.does(&[Action::StopScan])?;
    for (index, frame) in case.elements("frames")?.iter().enumerate() {
        client.now += Duration::from_millis(10);
        let plaintext = frame.bytes("message")?;
        let bytes = frame.bytes("websocket_message")?;
        if frame.text("direction")? == "client_to_authenticator" {
            client.says(channel, &plaintext, &bytes)?;
        } else {
            client.machine.handle_message(client.now, channel, bytes);
            let events = client.events();
            if index == 0 {
                connected(frame, &plaintext, &events)?;
            } else {
                heard(frame, &plaintext, &events, code.effective_linking())?;
            }
        }
    }
    client.machine.handle_channel_closed(client.now, channel);
    case.ensure("the machine is not done", client.machine.is_closed())?;
    let ended = client.events().into_iter().all(|event| matches!(event, Event::Finished));
    case.ensure("the session did not end well", ended)
}

/// Shows the recorded code.
fn start<'a>(recording: &'a Recording<'_>, code: &QrCode) -> Outcome<Client<'a>> {
    let case = recording.case;
    let ephemeral = case.array::<32>("initiator_ephemeral_private")?;
    let script = [code.secret.expose_bytes().as_slice(), &recording.identity_private, &ephemeral];
    let mut config = ClientConfig::new(code.effective_hint());
    config.unix_time = code.timestamp;
    config.accept_linking = code.effective_linking();
    let first = case.elements("frames")?.first().ok_or_else(|| case.fail("no frames"))?.bytes("message")?;
    config.required = case.accepted("the description", PostHandshake::decode(&first))?.features;
    let now = Instant::now();
    let machine = ClientMachine::with_code(config, Box::new(ScriptedRng::new(script)), now);
    let mut client = Client { case, machine, now };

    client.does(&[Action::StartScan])?;
    let events = client.events();
    let [Event::ShowQr { uri, .. }] = events.as_slice() else { return Err(case.fail("no code is shown")) };
    let shown = case.accepted("the shown code", QrCode::parse(uri.expose_text()))?;
    case.same("public key", &shown.public_key, &code.public_key)?;
    case.same("secret", &shown.secret, &code.secret)?;
    case.same("timestamp", &shown.timestamp, &code.timestamp)?;
    case.same("hint", &shown.hint, &Some(code.effective_hint()))?;
    case.same("linking", &shown.effective_linking(), &code.effective_linking())?;
    Ok(client)
}

impl Client<'_> {
    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }

    fn does(&mut self, right: &[Action]) -> Outcome {
        let actions: Vec<_> = std::iter::from_fn(|| self.machine.poll_action()).collect();
        self.case.same("the actions", actions.as_slice(), right)
    }

    fn sends(&mut self, channel: ChannelId, message: &[u8]) -> Outcome {
        self.does(&[Action::Send { channel, message: message.to_vec() }])
    }

    /// Hears somebody else's advert, then the recorded one, and asks for the recorded address.
    fn dials(&mut self, recording: &Recording<'_>) -> Outcome<ChannelId> {
        self.machine.handle_service_data(self.now, &[7; 20], SightingId(1));
        self.does(&[])?;
        self.machine.handle_service_data(self.now, &recording.service_data, SightingId(2));
        let action = self.machine.poll_action();
        let Some(Action::Dial { channel, route: Route::Tunnel(request) }) = action else {
            return Err(self.case.fail("the advert is not followed"));
        };
        self.case.same("address", request.url().as_str(), &recording.connect_url)?;
        self.does(&[])?;
        let near = self.events().iter().any(|event| matches!(event, Event::PhoneNearby { .. }));
        self.case.ensure("the phone is not noticed", near)?;
        Ok(channel)
    }

    /// Makes the machine send this plaintext.
    fn says(&mut self, channel: ChannelId, plaintext: &[u8], frame: &[u8]) -> Outcome {
        let patience = Duration::from_secs(60);
        match self.case.accepted("the message", Message::decode(plaintext))? {
            Message::Shutdown => self.machine.shutdown(self.now),
            Message::Ctap(ref request) => {
                let sent = self.machine.send_ctap(self.now, request, patience);
                self.case.accepted("the request", sent)?;
            }
            Message::Json(ref request) => {
                let sent = self.machine.send_json(self.now, request, patience);
                self.case.accepted("the request", sent)?;
            }
            _ => return Err(self.case.fail("a client sends no updates")),
        }
        let action = self.machine.poll_action();
        self.case.same("what is sent", &action, &Some(Action::Send { channel, message: frame.to_vec() }))
    }
}

fn connected(frame: &Node<'_>, plaintext: &[u8], events: &[Event]) -> Outcome {
    let right = frame.accepted("the message", PostHandshake::decode(plaintext))?;
    match events {
        [Event::Handshaking { .. }, Event::Connected { get_info, features, .. }] => {
            frame.same("get_info", get_info, &right.get_info)?;
            frame.same("features", features, &right.features)
        }
        _ => Err(frame.fail(format_args!("the machine is not connected: {events:?}"))),
    }
}

fn heard(frame: &Node<'_>, plaintext: &[u8], events: &[Event], linking: bool) -> Outcome {
    let message = frame.accepted("the message", Message::decode(plaintext))?;
    let right = match (&message, events) {
        (Message::Ctap(payload), [Event::CtapReply(reply)]) => payload == reply,
        (Message::Json(payload), [Event::JsonReply(reply)]) => payload == reply,
        (Message::Update(_), [Event::Linked(_)]) => linking,
        (Message::Update(_), []) => !linking,
        _ => false,
    };
    frame.ensure(&format!("the machine reports {events:?}"), right)
}
