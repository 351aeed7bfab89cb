//! The checks of the two handshake vector files, for any implementation of the patterns.

use super::{
    frame_reference,
    noise_reference::{self, Party, Pattern, Rejected, Step},
    tracked::{Node, Outcome},
};

/// What a finished handshake leaves to one side.
pub(crate) struct Session {
    pub(crate) handshake_hash: [u8; 32],
    pub(crate) channel: Box<dyn Channel>,
}

/// The two directions of a session as one side sees them.
pub(crate) trait Channel {
    fn seal(&mut self, message: &[u8]) -> Vec<u8>;
    fn open(&mut self, frame: Vec<u8>) -> Option<Vec<u8>>;
}

/// Frames of the reference under two bare keys.
pub(crate) struct KeyChannel {
    keys: [[u8; 32]; 2],
    counters: [u32; 2],
}

impl KeyChannel {
    pub(crate) const fn new(send: [u8; 32], receive: [u8; 32]) -> Self {
        Self { keys: [send, receive], counters: [0; 2] }
    }
}

impl Channel for KeyChannel {
    fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        self.counters[0] += 1;
        frame_reference::seal(&self.keys[0], self.counters[0] - 1, message)
    }

    fn open(&mut self, frame: Vec<u8>) -> Option<Vec<u8>> {
        self.counters[1] += 1;
        frame_reference::open(&self.keys[1], self.counters[1] - 1, &frame)
    }
}

impl Session {
    /// Whether this side seals with the one key and opens with the other, both from counter 0.
    pub(crate) fn has_keys(mut self, send: [u8; 32], receive: [u8; 32]) -> bool {
        let mut other = KeyChannel::new(receive, send);
        (0..3_u8).all(|round| {
            let message = vec![round; 20 * usize::from(round)];
            let opened = other.open(self.channel.seal(&message));
            let answered = self.channel.open(other.seal(&message));
            opened.as_ref() == Some(&message) && answered == Some(message)
        })
    }
}

/// The rest of an initiator's work: takes message 2.
pub(crate) type Finish = Box<dyn FnOnce(&[u8]) -> Result<Session, Rejected>>;

/// An implementation of both roles of both patterns.
pub(crate) trait Noise {
    fn initiate(&self, party: &Party) -> (Vec<u8>, Finish);
    fn respond(&self, party: &Party, message_1: &[u8]) -> Result<(Vec<u8>, Session), Rejected>;
}

/// The plain functions of [`noise_reference`].
pub(crate) struct Reference;

impl Noise for Reference {
    fn initiate(&self, party: &Party) -> (Vec<u8>, Finish) {
        let party = party.clone();
        let (message_1, _) = party.initiate();
        let finish = move |message_2: &[u8]| {
            let end = party.initiate().1.finish(message_2)?;
            let channel = KeyChannel::new(end.client_to_authenticator, end.authenticator_to_client);
            Ok(Session { handshake_hash: end.handshake_hash, channel: Box::new(channel) })
        };
        (message_1, Box::new(finish))
    }

    fn respond(&self, party: &Party, message_1: &[u8]) -> Result<(Vec<u8>, Session), Rejected> {
        let (message_2, end) = party.respond(message_1)?;
        let channel = KeyChannel::new(end.authenticator_to_client, end.client_to_authenticator);
        Ok((message_2, Session { handshake_hash: end.handshake_hash, channel: Box::new(channel) }))
    }
}

/// The inputs of a handshake in a vector file.
pub(crate) struct Handshake {
    pub(crate) initiator: Party,
    pub(crate) responder: Party,
    pub(crate) message_1: Vec<u8>,
    pub(crate) message_2: Vec<u8>,
}

impl Handshake {
    fn read(node: &Node<'_>) -> Outcome<Self> {
        let name = node.text("protocol_name")?;
        let pattern = [Pattern::KnPsk0, Pattern::NkPsk0].into_iter().find(|pattern| pattern.name() == name);
        let pattern = pattern.ok_or_else(|| node.fail("unknown protocol name"))?;
        node.expect_bytes("prologue", [pattern.prologue()])?;
        let owner = match pattern {
            Pattern::KnPsk0 => "initiator",
            Pattern::NkPsk0 => "responder",
        };
        let party = |role: &str| {
            let ephemeral = node.array(&format!("{role}_ephemeral_private"))?;
            node.expect_bytes(&format!("{role}_ephemeral_public"), noise_reference::public_of(&ephemeral))?;
            let private =
                if role == owner { Some(node.array(&format!("{owner}_static_private"))?) } else { None };
            let static_public = node.array(&format!("{owner}_static_public"))?;
            if let Some(private) = &private {
                node.same("static public key", &noise_reference::public_of(private), &static_public)?;
            }
            let psk = node.array("psk")?;
            Ok(Party { pattern, psk, static_public, static_private: private, ephemeral })
        };
        Ok(Self {
            initiator: party("initiator")?,
            responder: party("responder")?,
            message_1: node.bytes("message_1")?,
            message_2: node.bytes("message_2")?,
        })
    }
}

/// Runs every handshake in both roles.
pub(crate) fn handshakes(root: &Node<'_>, noise: &dyn Noise) -> Outcome {
    for node in root.cases("handshakes")? {
        let handshake = Handshake::read(&node)?;
        let (message_1, finish) = noise.initiate(&handshake.initiator);
        node.expect_bytes("message_1", message_1)?;
        let client = node.accepted("message 2", finish(&handshake.message_2))?;
        let answer = noise.respond(&handshake.responder, &handshake.message_1);
        let (message_2, authenticator) = node.accepted("message 1", answer)?;
        node.expect_bytes("message_2", message_2)?;
        node.expect_bytes("handshake_hash", client.handshake_hash)?;
        node.expect_bytes("handshake_hash", authenticator.handshake_hash)?;
        let (forth, back) =
            (node.array("client_to_authenticator_key")?, node.array("authenticator_to_client_key")?);
        node.ensure("the client has other keys", client.has_keys(forth, back))?;
        node.ensure("the authenticator has other keys", authenticator.has_keys(back, forth))?;
    }
    Ok(())
}

/// Compares each state of the reference with `steps[]`, which is the responder's view; the initiator's is the same
/// but for the direction of the two tags.
pub(crate) fn steps(root: &Node<'_>) -> Outcome {
    for node in root.elements("handshakes")? {
        let Handshake { initiator, responder, message_1, message_2 } = Handshake::read(&node)?;
        let client = node.accepted("message 2", initiator.initiate().1.finish(&message_2))?;
        let (_, authenticator) = node.accepted("message 1", responder.respond(&message_1))?;
        let right = node.elements("steps")?.iter().map(read_step).collect::<Outcome<Vec<_>>>()?;
        node.same("steps", &authenticator.steps, &right)?;
        node.same("steps", &client.steps, &right.into_iter().map(mirrored).collect())?;
        node.expect_bytes("final_chaining_key", client.chaining_key)?;

        for (name, input) in [("dh_ee", "mix_key(ee)"), ("dh_es", "mix_key(es)"), ("dh_se", "mix_key(se)")] {
            let step = client.steps.iter().find(|step| step.op == input);
            match step.and_then(|step| step.input.as_ref()) {
                Some(shared) => node.expect_bytes(name, shared)?,
                None => node.ensure("a DH result that the pattern lacks", node.find(name).is_none())?,
            }
        }
    }
    Ok(())
}

fn read_step(node: &Node<'_>) -> Outcome<Step> {
    let optional = |key| node.find(key).map(|value| value.as_bytes()).transpose();
    Ok(Step {
        op: node.text("op")?.to_owned(),
        h: node.array("h")?,
        ck: node.array("ck")?,
        k: node.find("k").map(|_| node.array("k")).transpose()?,
        input: optional("input")?,
        output: optional("output")?,
    })
}

fn mirrored(mut step: Step) -> Step {
    let (from, to) =
        if step.op.starts_with("encrypt") { ("encrypt", "decrypt") } else { ("decrypt", "encrypt") };
    if step.op.starts_with(from) {
        step.op = step.op.replacen(from, to, 1);
        (step.input, step.output) = (step.output, step.input);
    }
    step
}

/// Seals and opens the frames of every handshake with the reference of the frame layer.
pub(crate) fn frames(root: &Node<'_>) -> Outcome {
    for node in root.elements("handshakes")? {
        for frame in node.elements("frames")? {
            let key = node.array(&format!("{}_key", frame.text("direction")?))?;
            let counter = u32::try_from(frame.number("counter")?).map_err(|error| frame.fail(error))?;
            frame
                .expect_bytes("ciphertext", frame_reference::seal(&key, counter, &frame.bytes("message")?))?;
            let opened = frame_reference::open(&key, counter, &frame.bytes("ciphertext")?);
            let opened = opened.ok_or_else(|| frame.fail("the frame does not open"))?;
            frame.expect_bytes("message", opened)?;
        }
    }
    Ok(())
}

/// Feeds every message that must fail, and uses the wrong keys. Returns what each was refused for.
pub(crate) fn rejects(root: &Node<'_>, noise: &dyn Noise) -> Outcome<Vec<Rejected>> {
    let reject = root.get("reject")?;
    let index = usize::try_from(reject.number("for_handshake")?).map_err(|error| reject.fail(error))?;
    let handshakes = root.elements("handshakes")?;
    let target = handshakes.get(index).ok_or_else(|| reject.fail("for_handshake names no handshake"))?;
    let handshake = Handshake::read(target)?;
    let mut reasons = Vec::new();
    for case in reject.cases("cases")? {
        let message = case.bytes("message")?;
        reasons.push(match case.text("side")? {
            "responder" => case.refused("message 1", noise.respond(&handshake.responder, &message))?,
            "initiator" => case.refused("message 2", noise.initiate(&handshake.initiator).1(&message))?,
            _ => return Err(case.fail("unknown side")),
        });
    }
    reasons.extend(wrong_keys(&reject, noise, &handshake)?);
    Ok(reasons)
}

/// Neither side accepts another PSK; the owner of the static key fails with another one.
fn wrong_keys(reject: &Node<'_>, noise: &dyn Noise, handshake: &Handshake) -> Outcome<[Rejected; 3]> {
    let Handshake { initiator, responder, message_1, message_2 } = handshake;
    let respond = |case: &Node<'_>, party: &Party| case.refused("message 1", noise.respond(party, message_1));
    let finish =
        |case: &Node<'_>, party: &Party| case.refused("message 2", noise.initiate(party).1(message_2));

    let case = reject.get("wrong_psk")?.case();
    let psk = reject.array("wrong_psk")?;
    let responder_refuses = respond(&case, &Party { psk, ..responder.clone() })?;
    let initiator_refuses = finish(&case, &Party { psk, ..initiator.clone() })?;

    let case = reject.get("wrong_static_private")?.case();
    let static_private = Some(reject.array("wrong_static_private")?);
    let owner_refuses = match initiator.pattern {
        Pattern::KnPsk0 => finish(&case, &Party { static_private, ..initiator.clone() })?,
        Pattern::NkPsk0 => respond(&case, &Party { static_private, ..responder.clone() })?,
    };
    Ok([responder_refuses, initiator_refuses, owner_refuses])
}
