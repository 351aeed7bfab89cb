//! A registration and a sign-in over real sockets of this machine, verified by a relying party.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::Authenticator;
use hybridge_ble::sim::Air;
use hybridge_client::{CtapChannel, Hint, Session, SessionConfig};
use hybridge_demo::owner::{Owner, Passkeys, passkeys_of};
use hybridge_relay::{Config, Service};
use hybridge_tests::{
    screen::Screen,
    service::{DOMAIN, TlsService},
    website::{USER, Website},
};
use hybridge_tunnel::{DynDialer, WebSocketDialer};
use tokio::{net::TcpListener, time::timeout};

/// Far more than a ceremony on one machine takes.
const LONG: Duration = Duration::from_secs(60);

/// Who meets: two radios in one air, two dialers.
struct Pair {
    air: Air,
    laptop: Arc<dyn DynDialer>,
    phone: Arc<dyn DynDialer>,
}

impl Pair {
    fn new(dialer: impl DynDialer + Clone + 'static) -> Self {
        Self { air: Air::new(1), laptop: Arc::new(dialer.clone()), phone: Arc::new(dialer) }
    }

    /// One session: the laptop does `task` on the phone, then closes.
    async fn meet<T>(
        &self,
        hint: Hint,
        passkeys: &mut Passkeys,
        task: impl AsyncFnOnce(&mut CtapChannel) -> T,
    ) -> T {
        let radio = Arc::new(self.air.device("laptop"));
        let session = Session::start(SessionConfig::new(hint), radio, Arc::clone(&self.laptop)).unwrap();
        let (mut screen, watch) = Screen::new();
        let laptop = async {
            let mut channel = session.connect(watch).await.unwrap();
            let done = task(&mut channel).await;
            channel.close().await.unwrap();
            done
        };
        let phone = async {
            let radio = Arc::new(self.air.device("phone"));
            let mut authenticator = Authenticator::new(DOMAIN, radio, Arc::clone(&self.phone));
            let code = screen.scan().await;
            authenticator.answer_code(&code, passkeys, |_| {}).await.unwrap();
        };
        timeout(LONG, async { tokio::join!(laptop, phone).0 }).await.unwrap()
    }
}

/// A registration and two sign-ins, each with a code of its own, and both in one session.
async fn passkeys_work(pair: &Pair) {
    let (mut website, mut passkeys) = (Website::new(), passkeys_of(Owner::Agrees));
    pair.meet(Hint::MakeCredential, &mut passkeys, async |phone| website.register(phone).await).await;
    assert_eq!(passkeys.authenticator().store().len(), 1);
    let signed_in =
        pair.meet(Hint::GetAssertion, &mut passkeys, async |phone| website.sign_in(phone).await).await;
    assert_eq!((signed_in.user.as_str(), signed_in.user_verified), (USER, true));

    let (mut website, mut passkeys) = (Website::new(), passkeys_of(Owner::Agrees));
    let both = async |phone: &mut CtapChannel| {
        website.register(phone).await;
        website.sign_in(phone).await
    };
    assert_eq!(pair.meet(Hint::MakeCredential, &mut passkeys, both).await.user, USER);
}

#[tokio::test]
async fn over_plain_sockets() {
    let service = Service::new(Config::default()).unwrap();
    let serving = service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let dialer = WebSocketDialer::new().dangerous_plaintext_loopback(serving.local_addr()).unwrap();
    passkeys_work(&Pair::new(dialer)).await;
    serving.stop().await;
    assert_eq!(service.tunnel_count(), 0);
}

#[tokio::test]
async fn over_tls() {
    let service = TlsService::new(1);
    let (address, _listening) = service.listen().await;
    passkeys_work(&Pair::new(service.dialer_to(address))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_on_several_threads() {
    let service = TlsService::new(2);
    let (address, _listening) = service.listen().await;
    let dialer = service.dialer_to(address);
    let ceremonies = (0..8).map(|_| {
        let pair = Pair::new(dialer.clone());
        tokio::spawn(async move { passkeys_work(&pair).await })
    });
    for ceremony in ceremonies.collect::<Vec<_>>() {
        ceremony.await.unwrap();
    }
}

/// Dropping is enough: the goodbye crosses the tunnel nevertheless.
#[tokio::test]
async fn a_laptop_that_just_leaves_is_no_failure_of_the_phone() {
    let service = TlsService::new(3);
    let (address, _listening) = service.listen().await;
    let (dialer, air) = (Arc::new(service.dialer_to(address)), Air::new(3));
    let config = SessionConfig::new(Hint::MakeCredential);
    let session = Session::start(config, Arc::new(air.device("laptop")), dialer.clone()).unwrap();
    let (mut screen, watch) = Screen::new();
    let laptop = async {
        let mut channel = session.connect(watch).await.unwrap();
        Website::new().register(&mut channel).await;
    };
    let phone = async {
        let mut authenticator = Authenticator::new(DOMAIN, Arc::new(air.device("phone")), dialer.clone());
        let code = screen.scan().await;
        authenticator.answer_code(&code, &mut passkeys_of(Owner::Agrees), |_| {}).await
    };
    let (outcome, ()) = timeout(LONG, async { tokio::join!(phone, laptop) }).await.unwrap();
    outcome.unwrap();
}
