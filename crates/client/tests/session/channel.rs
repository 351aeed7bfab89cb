//! Requests and replies at the edges: late, given up, after the end.

use std::time::Duration;

use ciborium::{Value, cbor};
use hybridge_client::{Error, RequestError};
use hybridge_proto::cbor::canonicalize;
use tokio::time::timeout;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_reply_that_arrives_together_with_the_end_counts() {
    let world = World::new();
    let (mut channel, mut phone, _) = world.connected_to_puppet(config()).await;
    let request = tokio::spawn(async move { (channel.raw(&[0x04]).await, channel) });
    let reply = phone.serve(&[0x00, 7]).await;
    phone.send(reply).await;
    phone.close().await;
    let (reply, channel) = request.await.unwrap();
    assert_eq!(reply.unwrap(), [0x00, 7]);
    channel.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_after_the_phone_has_hung_up() {
    let world = World::new();
    let (mut channel, phone, _) = world.connected_to_puppet(config()).await;
    phone.close().await;
    assert!(matches!(channel.raw(&[0x04]).await, Err(Error::PhoneLeft)));
    for _ in 0..3 {
        let error = channel.raw(&[0x04]).await.unwrap_err();
        assert!(matches!(error, Error::Request(RequestError::NotConnected)), "{error}");
    }
    world.nothing_is_left().await;
    let error = channel.get_assertion(&assertion()).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::NotConnected)), "{error}");
    channel.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_a_request_that_was_given_up_is_not_taken_for_another() {
    let world = World::new();
    let (mut channel, mut phone, _) = world.connected_to_puppet(config()).await;
    timeout(Duration::from_secs(1), channel.raw(&[0x04])).await.unwrap_err();
    let error = channel.raw(&[0x04]).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::Busy)), "{error}");

    let late = phone.serve(&[0x00, 1]).await;
    phone.send(late).await;
    settle().await;
    let request = tokio::spawn(async move { channel.raw(&[0x04]).await });
    let reply = phone.serve(&[0x00, 2]).await;
    phone.send(reply).await;
    assert_eq!(request.await.unwrap().unwrap(), [0x00, 2]);
}

/// Replies of real phones hold members and values that no library knows.
#[tokio::test(start_paused = true)]
async fn descriptions_of_real_phones_decode_and_stay_as_they_are() {
    for (number, info) in real_descriptions().into_iter().enumerate() {
        let mut service = Scripted::replying([0]);
        service.info = info.clone();
        let world = World::new();
        let (channel, _phone, _) = world.connected(config(), service).await;
        let told = channel.get_info().unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!(told.raw, info);
        assert!(told.value.options.unwrap().rk);
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_nobody_knows_are_no_obstacle() {
    let known = cbor!({
        1 => { "id" => Value::Bytes(vec![7; 16]), "type" => "public-key" },
        2 => Value::Bytes(authenticator_data()),
        3 => Value::Bytes(vec![9; 70]),
    });
    let Value::Map(mut members) = known.unwrap() else { unreachable!() };
    members.extend([
        (6.into(), Value::Bool(true)),
        (0x77.into(), Value::Array(vec![Value::Null, Value::Bool(true)])),
        (0x1_0000.into(), "beyond".into()),
        ("text".into(), Value::Map(Vec::new())),
    ]);
    let mut encoded = Vec::new();
    ciborium::into_writer(&Value::Map(members), &mut encoded).unwrap();
    let raw = canonicalize(&encoded).unwrap();
    let world = World::new();
    let service = Scripted::replying([&[0], raw.as_slice()].concat());
    let (mut channel, _phone, _) = world.connected(config(), service).await;
    let reply = channel.get_assertion(&assertion()).await.unwrap();
    assert_eq!(reply.raw, raw);
    assert_eq!(reply.value.signature.as_slice(), [9; 70]);
}

#[tokio::test(start_paused = true)]
async fn an_assertion_of_a_real_phone_decodes() {
    let message = interop()["ios_transcript"]["frames"][2]["message"].clone();
    let message = hex::decode(message.as_str().unwrap()).unwrap();
    let [1, reply @ ..] = message.as_slice() else { panic!("no CTAP message") };
    let world = World::new();
    let (mut channel, _phone, _) = world.connected(config(), Scripted::replying(reply)).await;
    let signed = channel.get_assertion(&assertion()).await.unwrap();
    assert_eq!(signed.raw, reply[1..]);
    assert!(!signed.value.signature.is_empty());
}

#[tokio::test(start_paused = true)]
async fn replies_do_not_show_their_contents() {
    let world = World::new();
    let (mut channel, _phone, _) = world.connected(config(), passkeys(Owner::Agrees)).await;
    let made = channel.make_credential(&creation()).await.unwrap();
    assert_eq!(format!("{made:?}"), format!("Reply({} bytes)", made.raw.len()));
}

fn authenticator_data() -> Vec<u8> {
    [&[3; 32][..], &[0x1D], &[0; 4]].concat()
}

/// The getInfo bytes of an iPhone, of Chrome on Android and of iOS 16, and of a phone with members of tomorrow.
fn real_descriptions() -> Vec<Vec<u8>> {
    let interop = interop();
    let post_handshakes = [
        &interop["ios_transcript"]["frames"][0]["message"],
        &interop["post_handshake_android_chrome"],
        &interop["post_handshake_ios16"],
    ];
    let described = post_handshakes.map(|message| {
        let message = hex::decode(message.as_str().unwrap()).unwrap();
        hybridge_proto::message::PostHandshake::decode(&message).unwrap().get_info.unwrap()
    });
    let tomorrow = cbor!({
        1 => ["FIDO_2_0", "FIDO_9_9"],
        2 => ["prf", "telepathy"],
        3 => Value::Bytes(vec![0; 16]),
        4 => { "rk" => true, "uv" => true, "mindReading" => true },
        9 => ["internal", "hybrid", "cable", "pigeon"],
        10 => [{ "alg" => -7, "type" => "public-key" }, { "alg" => -99, "type" => "public-key" }, "?"],
        0x66 => [1, 2],
    });
    let mut encoded = Vec::new();
    ciborium::into_writer(&tomorrow.unwrap(), &mut encoded).unwrap();
    described.into_iter().chain([canonicalize(&encoded).unwrap()]).collect()
}

fn interop() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../proto/tests/vectors/interop.json")).unwrap()
}
