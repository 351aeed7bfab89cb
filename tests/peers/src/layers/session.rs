//! The caBLE authenticator of webauthn-authenticator-rs, with this suite in the place of the tunnel service and the
//! laptop: what our protocol crate derives, opens and seals has to be what theirs does.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use hybridge_proto::{
    advert::{self, Advert},
    domain::DomainId,
    handshake::{Established, Initiator},
    ids::RoutingId,
    keys::{PrivateKey, Psk, QrSecret},
    message::{Message, PostHandshake, Revision},
    qr::{Channels, Hint, QrCode},
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self,
        handshake::server::{Request, Response},
    },
};

use super::{
    below, rng,
    stub::{Phone, Question, Reply},
};

const SESSIONS: usize = 400;
/// Each of so many sessions meets a laptop that has not heard the advert.
const DEAF: usize = 8;

/// A laptop with everything chosen at random.
struct Laptop {
    key: Arc<PrivateKey>,
    code: QrCode,
    domain: DomainId,
    routing: RoutingId,
    deaf: bool,
}

/// Runs random sessions.
pub(crate) async fn sessions() -> String {
    let mut rng = rng(3);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut refused = 0;
    for number in 0..SESSIONS {
        let laptop = Laptop::random(&mut rng, number % DEAF == 1);
        let asks_for_passkey = laptop.code.effective_hint() == Hint::MakeCredential;
        let question = Question::random(&mut rng, asks_for_passkey);
        let reply = Reply::random(&mut rng, asks_for_passkey);
        let mut phone = Phone::new(reply.clone());
        let (uri, adverts) = (listener.local_addr().unwrap(), phone.adverts());
        let text = laptop.code.to_uri();
        let (answered, ()) = tokio::join!(
            phone.answer(text.expose_text(), laptop.domain.get(), uri),
            laptop.meet(&listener, adverts, &question, &reply, &mut rng)
        );
        assert_eq!(answered.is_err(), laptop.deaf, "{answered:?}");
        if laptop.deaf {
            refused += 1;
        } else {
            assert!(phone.asked() == Some(&question.as_read()), "another question has arrived");
        }
    }
    format!("{} random sessions, {refused} without the advert refused", SESSIONS - refused)
}

impl Laptop {
    fn random(rng: &mut ChaCha20Rng, deaf: bool) -> Self {
        let key = Arc::new(PrivateKey::generate(rng));
        let mut code = QrCode::new(*key.public_key(), QrSecret::generate(rng));
        let choice = rng.next_u32();
        code.timestamp = (choice & 1 == 1).then_some(rng.next_u64() >> 20);
        code.supports_linking = [None, Some(false), Some(true)][below(rng, 3)];
        code.channels = (choice & 2 == 2).then(Channels::websocket_and_l2cap);
        code.hint = [None, Some(Hint::GetAssertion), Some(Hint::MakeCredential), Some(Hint::from_wire("xy"))]
            [below(rng, 4)]
        .clone();
        let domain = [0, 1, 266, 256 + u16::try_from(below(rng, 65_280)).unwrap()][below(rng, 4)];
        Self { key, code, domain: DomainId::new(domain), routing: RoutingId::generate(rng), deaf }
    }

    /// Is the tunnel service, hears the advert, and asks.
    async fn meet(
        &self,
        listener: &TcpListener,
        mut adverts: tokio::sync::mpsc::UnboundedReceiver<(u16, Vec<u8>)>,
        question: &Question,
        reply: &Reply,
        rng: &mut ChaCha20Rng,
    ) {
        let mut socket = self.accept(listener).await;
        let psk = self.hear(adverts.recv().await.unwrap());
        let (initiator, message) = Initiator::qr(&self.key, &psk, rng).unwrap();
        send(&mut socket, message.to_vec()).await;
        if self.deaf {
            assert_eq!(receive(&mut socket).await, None, "answered a laptop that has not heard the advert");
            return;
        }
        let message = receive(&mut socket).await.unwrap();
        ask(&mut socket, initiator.finish(&message).unwrap(), question, reply).await;
    }

    /// Gives the phone a tunnel, if it asks for the right one.
    async fn accept(&self, listener: &TcpListener) -> WebSocketStream<TcpStream> {
        let (stream, _) = listener.accept().await.unwrap();
        let (path, routing) = (format!("/cable/new/{}", self.code.secret.tunnel_id().to_hex()), self.routing);
        #[allow(clippy::result_large_err)]
        let answer = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), path);
            assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "fido.cable");
            let headers = response.headers_mut();
            headers.insert("Sec-WebSocket-Protocol", "fido.cable".parse().unwrap());
            headers.insert("X-caBLE-Routing-ID", routing.to_hex().parse().unwrap());
            Ok(response)
        };
        accept_hdr_async(stream, answer).await.unwrap()
    }

    /// Opens the advert; ours for the same plaintext has to be the same.
    fn hear(&self, (uuid, data): (u16, Vec<u8>)) -> Psk {
        assert_eq!((uuid, data.len()), (0xfff9, 20));
        let key = self.code.secret.eid_key();
        let heard = Advert::from_bytes(data.try_into().unwrap());
        let plaintext = advert::open(&key, &heard).unwrap();
        assert_eq!((plaintext.routing_id(), plaintext.domain()), (self.routing, self.domain));
        assert_eq!(advert::seal(&key, &plaintext).as_bytes(), heard.as_bytes());
        let psk = self.code.secret.psk(&plaintext);
        if !self.deaf {
            return psk;
        }
        let mut wrong = *psk.expose_bytes();
        wrong[0] ^= 1;
        Psk::from_bytes(&wrong)
    }
}

/// Everything after the handshake.
async fn ask(
    socket: &mut WebSocketStream<TcpStream>,
    mut session: Established,
    question: &Question,
    reply: &Reply,
) {
    let described = session.opener.open(receive(socket).await.unwrap()).unwrap();
    let described = PostHandshake::decode(&described).unwrap();
    assert!(described.revision == Revision::Typed && described.get_info.is_some());
    let request = session.sealer.seal(&Message::Ctap(question.to_ctap()).encode()).unwrap();
    send(socket, request).await;
    let answer = session.opener.open(receive(socket).await.unwrap()).unwrap();
    let Message::Ctap(answer) = &Message::decode(&answer).unwrap() else { panic!("no reply") };
    reply.check(answer);
    // An authenticator has no business to say goodbye first, but this one does.
    let goodbye = session.opener.open(receive(socket).await.unwrap()).unwrap();
    assert!(Message::decode(&goodbye).unwrap() == Message::Shutdown);
}

async fn send(socket: &mut WebSocketStream<TcpStream>, message: Vec<u8>) {
    socket.send(tungstenite::Message::Binary(message.into())).await.unwrap();
}

/// The next message; none when the phone has hung up.
async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Option<Vec<u8>> {
    match socket.next().await {
        Some(Ok(tungstenite::Message::Binary(message))) => Some(message.to_vec()),
        _ => None,
    }
}
