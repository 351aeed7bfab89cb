//! Laptops that are near and have heard the advert, but are not what they should be.

use hybridge_authenticator::{Operation, Progress};
use hybridge_proto::{
    authenticator::AuthenticatorError,
    frame::{FrameError, Opener, Sealer},
    handshake::{HandshakeError, Initiator},
    keys::{KeyError, PrivateKey, Psk, PublicKey},
    message::{MessageError, MessageKind},
    qr::QrCode,
};
use hybridge_tunnel::DataChannel;
use zeroize::Zeroizing;

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_laptop::{HostileLaptop, until_hung_up},
    noise::{Handshake, Keys, Pattern, Point, message, parts},
    phone::PhoneError,
    report::Refusal,
    scene::{HOME, Scene},
};

/// authenticatorGetInfo: what an attacker asks whose request would be harmless, were it let through.
const GET_INFO: u8 = 0x04;

/// The code that the owner's laptop showed, until its owner closed the page.
async fn photographed(scene: &Scene) -> Result<Zeroizing<String>, Setup> {
    let mut laptop = scene.laptop()?.sign_in();
    let code = laptop.code().await?;
    laptop.give_up().await;
    Ok(code)
}

/// Its key would have to be the one in the code that the phone has seen.
pub(super) async fn wrong_static_key(scene: &Scene) -> Verdict {
    scene.did("photographs the owner's code, overhears the advert, and joins the tunnel before the laptop");
    scene.did("shakes hands with a key of its own");
    let text = photographed(scene).await?;
    let code = QrCode::parse(&text).map_err(Setup::from)?;
    let mut attacker = HostileLaptop::at(scene, HOME)?;
    let phone = scene.phone()?.answer(text);
    let (mut channel, psk) = attacker.meet(&code.secret).await?;
    let own = attacker.make_code().key;
    let (_, message_1) = Initiator::qr(&own, &psk, &mut *attacker.rng).map_err(Setup::from)?;
    channel.send(&message_1).await.map_err(Setup::from)?;
    until_hung_up(&mut channel).await;
    Ok(vec![phone.end().await?.failed_handshake(HandshakeError::Authentication)?])
}

/// The code's public key is enough for message 1, which says nothing of the private one. Every frame does.
pub(super) async fn stolen_code(scene: &Scene) -> Verdict {
    scene.did("photographs the owner's code, overhears the advert, and joins the tunnel before the laptop");
    scene.did("shakes hands with the code's public key, and asks for the phone's description");
    let text = photographed(scene).await?;
    let code = QrCode::parse(&text).map_err(Setup::from)?;
    let mut attacker = HostileLaptop::at(scene, HOME)?;
    let phone = scene.phone()?.answer(text);
    let (mut channel, psk) = attacker.meet(&code.secret).await?;
    let own = PrivateKey::generate(&mut *attacker.rng);
    let keys = shake_hands_without_key(&mut channel, &code.public_key, &psk, &own).await?;
    let description = channel.receive().await.map_err(Setup::from)?;
    if Opener::new(&keys.to_laptop).open(description).is_ok() {
        return Err(Failure::Succeeded("the attacker read the phone's description".to_owned()));
    }
    let frame = Sealer::new(&keys.to_phone).seal(&[MessageKind::Ctap.as_byte(), GET_INFO]);
    channel.send(&frame.map_err(Setup::from)?).await.map_err(Setup::from)?;
    until_hung_up(&mut channel).await;
    let tampered = AuthenticatorError::Frame(FrameError::Authentication);
    Ok(vec![phone.end().await?.broken_protocol(tampered)?])
}

/// Both messages of the handshake with everything but the code's private key, and what keys that gives.
async fn shake_hands_without_key(
    channel: &mut DataChannel,
    code: &PublicKey,
    psk: &Psk,
    own: &PrivateKey,
) -> Result<Keys, Setup> {
    let point = own.public_key().to_uncompressed();
    let mut state = Handshake::start(Pattern::Code, code.to_uncompressed(), psk);
    state.ephemeral(point);
    channel.send(&message(point, &state.tag())).await?;

    let message_2 = channel.receive().await?;
    let (point, _) = parts(&message_2).ok_or("message 2 has the wrong length")?;
    let phone_ephemeral = PublicKey::from_uncompressed(point)?;
    state.ephemeral(point);
    state.mix_key(own.diffie_hellman(&phone_ephemeral).expose_bytes());
    // The code's private key belongs here.
    state.mix_key(own.diffie_hellman(&phone_ephemeral).expose_bytes());
    state.tag();
    Ok(state.split())
}

/// Whoever made the code knows all that goes into the tag of message 1, so a bad point can come with a good tag.
pub(super) async fn bad_point_message_1(scene: &Scene) -> Verdict {
    scene.did("makes a code, and answers the phone with points that are none, under tags that verify");
    let mut attacker = HostileLaptop::at(scene, HOME)?;
    let sound = *PrivateKey::generate(&mut *attacker.rng).public_key().to_uncompressed();
    let changed = |change: &dyn Fn(&mut Point)| {
        let mut point = sound;
        change(&mut point);
        point
    };
    let cases = [
        (changed(&|point| flip_last(point)), KeyError::NotOnCurve),
        (changed(&|point| point.iter_mut().skip(1).for_each(|byte| *byte = 0)), KeyError::NotOnCurve),
        (changed(&|point| point.iter_mut().skip(1).for_each(|byte| *byte = 0xff)), KeyError::NotOnCurve),
        (changed(&|point| set_form(point, 6)), KeyError::Encoding),
        (changed(&|point| set_form(point, 2)), KeyError::Encoding),
        ([0; 65], KeyError::Encoding),
    ];
    let mut refusals = Vec::new();
    for (point, error) in cases {
        let code = attacker.make_code();
        let phone = scene.phone()?.answer(code.text());
        let (mut channel, psk) = attacker.meet(&code.secret).await?;
        let mut state = Handshake::start(Pattern::Code, code.key.public_key().to_uncompressed(), &psk);
        state.ephemeral(&point);
        channel.send(&message(&point, &state.tag())).await.map_err(Setup::from)?;
        until_hung_up(&mut channel).await;
        refusals.push(phone.end().await?.failed_handshake(HandshakeError::Point(error))?);
    }
    Ok(refusals)
}

fn flip_last(point: &mut Point) {
    let [.., last] = point;
    *last ^= 1;
}

pub(super) fn set_form(point: &mut Point, form: u8) {
    let [first, ..] = point;
    *first = form;
}

/// One request at a time, so that a person is never asked one thing while another one is on the screen.
pub(super) async fn second_request(scene: &Scene) -> Verdict {
    scene.did(
        "makes a code, connects, and sends a second request while the first one is on the phone's screen",
    );
    scene.permit(&[GET_INFO]);
    let mut attacker = HostileLaptop::at(scene, HOME)?;
    let code = attacker.make_code();
    let mut phone = scene.phone()?.undecided().answer(code.text());
    let mut connected = attacker.connect(&code).await?;
    connected.send(&[MessageKind::Ctap.as_byte(), GET_INFO]).await?;
    phone.until(Progress::Request(Operation::GetInfo)).await?;
    connected.send(&[MessageKind::Ctap.as_byte(), GET_INFO]).await?;
    until_hung_up(&mut connected.channel).await;
    let ended = phone.end().await?;
    // The session may end between the report of the first request and the look at it, so once is the most.
    if ended.asked > 1 {
        return Err(Failure::Succeeded(format!("the phone's owner was asked {} times", ended.asked)));
    }
    let unexpected = AuthenticatorError::Unexpected(MessageKind::Ctap);
    let refusal = ended.late_refusal()?;
    Ok(vec![only!(refusal, Refusal::Phone(PhoneError::Protocol(error)) if *error == unexpected)?])
}

/// Messages that a phone for passkeys has not offered to take, or that nobody may send.
pub(super) async fn malformed_request(scene: &Scene) -> Verdict {
    scene.did("makes a code, connects, and sends what is no request, in as many sessions");
    let cases: [(&[u8], AuthenticatorError); 4] = [
        (&[4, GET_INFO], AuthenticatorError::Message(MessageError::UnknownType(4))),
        (&[], AuthenticatorError::Message(MessageError::Empty)),
        (&[1], AuthenticatorError::Message(MessageError::EmptyCtap)),
        (b"\x03{}", AuthenticatorError::Unexpected(MessageKind::Json)),
    ];
    let mut attacker = HostileLaptop::at(scene, HOME)?;
    let mut refusals = Vec::new();
    for (plaintext, error) in cases {
        let code = attacker.make_code();
        let phone = scene.phone()?.answer(code.text());
        let mut connected = attacker.connect(&code).await?;
        connected.send(plaintext).await?;
        until_hung_up(&mut connected.channel).await;
        refusals.push(phone.end().await?.broken_protocol(error)?);
    }
    Ok(refusals)
}
