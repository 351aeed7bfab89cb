//! Phones that are near and have seen the code, but are not what they should be.

use std::sync::Arc;

use hybridge_authenticator::CtapService;
use hybridge_client::{AttemptError, ClientError, Error as LaptopError, webauthn::PhoneError};
use hybridge_proto::{
    cbor::{CborError, CborProblem},
    frame::{FrameError, MAX_COUNTER, Opener, Sealer, pad},
    handshake::HandshakeError,
    keys::{KeyError, PrivateKey},
    message::{MessageError, MessageKind, PostHandshakeError},
};
use tokio::sync::Notify;

use super::{
    Failure, Verdict,
    by_laptops::set_form,
    failure::{Setup, only},
    hostile_laptop::until_hung_up,
    hostile_phone::{Connected, GET_INFO, HostilePhone},
    laptop::SigningIn,
    noise::{Point, message, seal_padded},
    report::Refusal,
    scene::{HOME, Scene},
};
use crate::{browser::BrowserError, relying_party::RelyingPartyError};

const EMPTY_MAP: u8 = 0xa0;

/// The owner's laptop, connected to the attacker's phone, and its request.
async fn asked(scene: &Scene) -> Result<(SigningIn, Connected, Vec<u8>), Setup> {
    let mut laptop = scene.laptop()?.sign_in();
    let mut phone = HostilePhone::at(scene, HOME)?;
    let mut connected = phone.pose(&laptop.code().await?, GET_INFO.to_vec()).await?;
    let message = connected.receive().await?;
    match message.split_first() {
        Some((1, request)) => Ok((laptop, connected, request.to_vec())),
        _ => Err("the laptop sent no CTAP request".into()),
    }
}

/// What the laptop makes of these bytes in the place of a reply.
async fn reply_with(scene: &Scene, plaintext: &[u8], error: ClientError) -> Result<Refusal, Failure> {
    let (laptop, mut phone, _) = asked(scene).await?;
    phone.send(plaintext).await?;
    phone.until_hung_up().await;
    laptop.end().await?.broken_protocol(error)
}

/// The points of message 2, and what the laptop would get from Diffie-Hellman with them if it did not look.
pub(super) async fn bad_point_message_2(scene: &Scene) -> Verdict {
    scene.did(
        "answers the code, and sends a point of order two on another curve; a laptop that computes with it",
    );
    scene.did("finds the tag right one time in four, and tells a bit of its key by that. Then other forms of points");
    let mut refusals = Vec::new();
    // The point (1, 0). Twice it is infinity, so every odd multiple is the point itself.
    let mut order_two = [0; 65];
    set_form(&mut order_two, 4);
    let x = [[0; 31].as_slice(), &[1]].concat();
    order_two.iter_mut().skip(1).zip(&x).for_each(|(to, from)| *to = *from);
    refusals.push(point_2(scene, |_| order_two, Some(&x), KeyError::NotOnCurve).await?);
    // The right point in forms that hold it too, but are not the one that belongs here.
    for form in [2, 6, 7] {
        let reformed = |mut point: Point| {
            set_form(&mut point, form);
            point
        };
        refusals.push(point_2(scene, reformed, None, KeyError::Encoding).await?);
    }
    refusals.push(point_2(scene, |_| [0; 65], None, KeyError::Encoding).await?);
    Ok(refusals)
}

/// Sends a point made of the right one. The tag is made as if Diffie-Hellman had `shared` as its result, or the right
/// result if there is none given.
async fn point_2(
    scene: &Scene,
    make: impl Fn(Point) -> Point,
    shared: Option<&[u8]>,
    error: KeyError,
) -> Result<Refusal, Failure> {
    let mut laptop = scene.laptop()?.sign_in();
    let mut phone = HostilePhone::at(scene, HOME)?;
    let mut joined = phone.answer(&laptop.code().await?).await?;
    let (mut state, laptop_ephemeral) = joined.take_message_1()?;
    let own = PrivateKey::generate(&mut *phone.rng);
    let point = make(*own.public_key().to_uncompressed());
    state.ephemeral(&point);
    for key in [&laptop_ephemeral, &joined.laptop] {
        let honest = own.diffie_hellman(key);
        state.mix_key(shared.unwrap_or(honest.expose_bytes()));
    }
    joined.channel.send(&message(&point, &state.tag())).await.map_err(Setup::from)?;
    until_hung_up(&mut joined.channel).await;
    let refusal = Refusal::Attempt(laptop.failed_attempt().await?);
    only!(refusal, Refusal::Attempt(AttemptError::Handshake(HandshakeError::Point(found))) if *found == error)
}

/// A reply that comes before its request could be taken for the answer to it.
pub(super) async fn unsolicited_reply(scene: &Scene) -> Verdict {
    scene.did("answers the code, and sends a reply before it is asked");
    let mut laptop = scene.laptop()?;
    let go = Arc::new(Notify::new());
    laptop.hesitation = Some(Arc::clone(&go));
    let mut laptop = laptop.sign_in();
    let mut phone = HostilePhone::at(scene, HOME)?;
    let mut connected = phone.pose(&laptop.code().await?, GET_INFO.to_vec()).await?;
    connected.send(&[MessageKind::Ctap.as_byte(), 0, EMPTY_MAP]).await?;
    connected.until_hung_up().await;
    go.notify_one();
    Ok(vec![laptop.end().await?.broken_protocol(ClientError::Unsolicited(MessageKind::Ctap))?])
}

pub(super) async fn malformed_reply(scene: &Scene) -> Verdict {
    scene.did("answers the code, and replies to the request with what is no reply, in as many sign-ins");
    let cases: [(&[u8], ClientError); 4] = [
        (&[4, 0, EMPTY_MAP], ClientError::Message(MessageError::UnknownType(4))),
        (&[], ClientError::Message(MessageError::Empty)),
        (&[1], ClientError::Message(MessageError::EmptyCtap)),
        (b"\x03{}", ClientError::Unsolicited(MessageKind::Json)),
    ];
    let mut refusals = Vec::new();
    for (plaintext, error) in cases {
        refusals.push(reply_with(scene, plaintext, error).await?);
    }
    Ok(refusals)
}

/// Descriptions that are not what the standard says. Each entry is the plaintext of the first frame.
pub(super) async fn malformed_description(scene: &Scene) -> Verdict {
    scene.did("answers the code, and describes itself with malformed maps, in as many sign-ins");
    let cases: [(&[u8], Expected); 5] = [
        (&[0xa2, 0x03, 0x80, 0x01, 0x41, 0xa0], Expected::Cbor(CborProblem::KeyOrder)),
        (&[0xa1, 0x01, 0x41, 0xa0, 0x00], Expected::Cbor(CborProblem::TrailingBytes)),
        (&[0x81, 0x01], Expected::Cbor(CborProblem::NotAMap)),
        (&[0xa0], Expected::Just(PostHandshakeError::MissingGetInfo)),
        (&[0xa1, 0x01, 0x61, 0x41], Expected::Just(PostHandshakeError::Field(1))),
    ];
    let mut refusals = Vec::new();
    for (plaintext, expected) in cases {
        let mut laptop = scene.laptop()?.sign_in();
        let mut connected = HostilePhone::at(scene, HOME)?.connect(&laptop.code().await?).await?;
        connected.send(plaintext).await?;
        connected.until_hung_up().await;
        refusals.push(only!(
            laptop.end().await?.refusal()?,
            Refusal::Laptop(LaptopError::Protocol(ClientError::PostHandshake(error))) if expected.is(*error)
        )?);
    }
    Ok(refusals)
}

/// What a description is refused with, wherever in it the fault is.
enum Expected {
    Cbor(CborProblem),
    Just(PostHandshakeError),
}

impl Expected {
    fn is(&self, error: PostHandshakeError) -> bool {
        match (self, error) {
            (Self::Cbor(expected), PostHandshakeError::Cbor(CborError { problem, .. })) => {
                problem == *expected
            }
            (Self::Just(expected), error) => error == *expected,
            _ => false,
        }
    }
}

/// Frames that authenticate and whose padding lies. The description was frame 0.
pub(super) async fn malformed_padding(scene: &Scene) -> Verdict {
    scene.did("answers the code, and sends frames with more padding than bytes, or none at all");
    let mut refusals = Vec::new();
    for padded in [&[][..], &[1], &[1, 0, 0, 4]] {
        let (laptop, mut phone, _) = asked(scene).await?;
        let frame = seal_padded(&phone.keys.to_laptop, 1, padded);
        phone.channel.send(&frame).await.map_err(Setup::from)?;
        phone.until_hung_up().await;
        refusals.push(laptop.end().await?.broken_protocol(ClientError::Frame(FrameError::Padding))?);
    }
    Ok(refusals)
}

/// Nobody gets near the end of the counters in a session, so the frames beyond it are tried on their own.
pub(super) async fn counter_limit(scene: &Scene) -> Verdict {
    scene.did("answers the code, and replies in a frame with the last counter instead of the next");
    let (laptop, mut phone, _) = asked(scene).await?;
    let keys = &phone.keys.to_laptop;
    let reply = [MessageKind::Ctap.as_byte(), 0x27];
    let last = Sealer::dangerous_starting_at(keys, MAX_COUNTER).seal(&reply).map_err(Setup::from)?;
    let mut sealer = Sealer::dangerous_starting_at(&phone.keys.to_phone, MAX_COUNTER);
    let mut opener = Opener::dangerous_starting_at(keys, MAX_COUNTER);
    let beyond = seal_padded(keys, MAX_COUNTER + 1, &pad(&reply));
    phone.channel.send(&last).await.map_err(Setup::from)?;
    phone.until_hung_up().await;
    let ahead = laptop.end().await?.broken_protocol(ClientError::Frame(FrameError::Authentication))?;

    scene.did("brings the laptop's counters to their ends, and goes on");
    if opener.open(last).as_deref() != Ok(&reply) || sealer.seal(&reply).is_err() {
        return Err(Setup::from("the last counter does not work").into());
    }
    let (Err(taken), Err(sent)) = (opener.open(beyond), sealer.seal(&reply)) else {
        return Err(Failure::Succeeded("a counter beyond the last was used".to_owned()));
    };
    Ok(vec![
        ahead,
        only!(Refusal::Frame(taken), Refusal::Frame(FrameError::Exhausted))?,
        only!(Refusal::Frame(sent), Refusal::Frame(FrameError::Exhausted))?,
    ])
}

/// CBOR that costs whoever believes it their memory or stack.
pub(super) async fn cbor_bomb(scene: &Scene) -> Verdict {
    scene.did(
        "answers the code, and replies with lengths of 2^64 - 1 and with a hundred thousand nested arrays",
    );
    let nested = vec![0x81; 100_000];
    let endless = |head: u8| [&[head][..], &[0xff; 8]].concat();
    let in_map = |value: Vec<u8>| [&[0xa1, 0x02][..], &value].concat();
    let cases = [nested.clone(), endless(0xbb), in_map(endless(0x5b)), in_map(endless(0x9b)), in_map(nested)];
    let mut refusals = Vec::new();
    for cbor in cases {
        let (laptop, mut phone, _) = asked(scene).await?;
        phone.send(&[&[MessageKind::Ctap.as_byte(), 0][..], &cbor].concat()).await?;
        phone.until_hung_up().await;
        let refusal = laptop.end().await?.refusal()?;
        refusals.push(only!(refusal, Refusal::Browser(BrowserError::Phone(PhoneError::NotCanonical(_))))?);
    }
    Ok(refusals)
}

/// Browsers take canonical CBOR and nothing else from a phone.
pub(super) async fn non_canonical_reply(scene: &Scene) -> Verdict {
    scene.did("answers the code, signs with a passkey of its own, and adds a byte to the reply");
    let mut passkeys = scene.strangers_passkeys().await?;
    let (laptop, mut phone, request) = asked(scene).await?;
    let reply = [&[1][..], &passkeys.call(&request).await, &[0]].concat();
    phone.send(&reply).await?;
    phone.until_hung_up().await;
    let refusal = laptop.end().await?.refusal()?;
    Ok(vec![only!(
        refusal,
        Refusal::Browser(BrowserError::Phone(PhoneError::NotCanonical(CborError {
            problem: CborProblem::TrailingBytes,
            ..
        })))
    )?])
}

/// A signature is over the challenge of one sign-in.
pub(super) async fn replayed_assertion(scene: &Scene) -> Verdict {
    scene.did("has got hold of what the owner's phone signed for an earlier sign-in, and replies with that");
    let mut owner = scene.owners_passkeys()?;
    let (earlier, phone, request) = asked(scene).await?;
    let signed = owner.call(&request).await;
    drop((earlier, phone));

    let (laptop, mut phone, _) = asked(scene).await?;
    phone.send(&[&[1][..], &signed].concat()).await?;
    phone.until_hung_up().await;
    Ok(vec![only!(laptop.end().await?.refusal()?, Refusal::Website(RelyingPartyError::SignIn(_)))?])
}
