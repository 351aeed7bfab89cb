//! Our laptop, and the phones of others.

use std::sync::Arc;

use hybridge_authenticator::DomainId;
use hybridge_client::{
    CtapChannel, Error, Hint, Progress, Session, SessionConfig,
    webauthn::{Assertion, CeremonyError, Creation, CreationOptions, Origin, RequestOptions},
};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use webauthn_rs::prelude::Passkey;

use crate::{
    orders::{Event, ORIGIN, Order},
    peer,
    process::Peer,
    table::Case,
    web::{APPLE, GOOGLE, HASHED},
    website::Website,
    world::World,
};

const PAIR: &str = "our laptop x webauthn-authenticator-rs 0.6.2 (authenticator)";

/// The ceremonies in a row of one phone.
const ROW: usize = 20;

pub(super) fn cases() -> Vec<Case<World>> {
    let mut cases = Vec::new();
    for domain in [HASHED, GOOGLE, APPLE] {
        let title = format!("register and sign in, {}", domain.host().unwrap());
        cases.push(Case::new(PAIR, title, move |world| both(world, domain)));
    }
    cases.extend([
        Case::new(PAIR, "a registration with an exclude list", excluded),
        Case::new(PAIR, "unknown credential: CTAP status 0x2e", unknown),
        Case::new(PAIR, "the owner declines: CTAP status 0x27", declined),
        Case::new(PAIR, "a code of a laptop that remembers phones", linking),
        Case::new(PAIR, "among the adverts of strangers", crowded),
        Case::new(PAIR, format!("{ROW} ceremonies in a row"), row),
    ]);
    cases
}

/// Our laptop, and a phone in a process of its own.
struct Meeting {
    world: World,
    website: Website,
    phone: Peer,
    domain: DomainId,
    /// Whether the owner of the phone says yes.
    agrees: bool,
    /// Whether the laptop says that it can remember phones.
    links: bool,
}

/// What the website is given, or the CTAP status of the refusal.
type Outcome = Result<Value, u8>;

impl Meeting {
    fn new(world: World, domain: DomainId) -> Self {
        let phone = world.peer(peer::WEBAUTHN_PHONE);
        world.web.take_seen();
        Self { world, website: Website::new(), phone, domain, agrees: true, links: false }
    }

    /// One ceremony, after which the phone has to be content too.
    async fn meet(&mut self, hint: Hint, options: Value) -> Outcome {
        let (show, mut screen) = unbounded_channel();
        let laptop = ask(self.session(&hint), show, hint, options);
        let phone = async {
            let code = screen.recv().await.unwrap();
            let order = Order::Answer { code, domain: self.domain.get(), agrees: self.agrees };
            self.phone.order(&order).await;
            self.phone.event().await
        };
        let (outcome, event) = tokio::join!(laptop, phone);
        assert_eq!(event, Event::Answered);
        outcome
    }

    fn session(&self, hint: &Hint) -> Session {
        let mut config = SessionConfig::new(hint.clone());
        config.accept_linking = self.links;
        let (radio, dialer) = (self.world.air.device("laptop"), self.world.web.dialer());
        Session::start(config, Arc::new(radio), Arc::new(dialer)).unwrap()
    }

    async fn register(&mut self) -> Passkey {
        let (options, state) = self.website.begin_registration(&[]);
        let credential = self.meet(Hint::MakeCredential, options).await.unwrap();
        self.website.finish_registration(&state, credential)
    }

    async fn sign_in(&mut self, passkey: &Passkey) {
        let (options, state) = self.website.begin_sign_in(std::slice::from_ref(passkey));
        let credential = self.meet(Hint::GetAssertion, options).await.unwrap();
        assert!(self.website.finish_sign_in(&state, credential).user_verified());
    }
}

/// The laptop's part: shows a code, waits for the phone, asks, and says goodbye.
async fn ask(session: Session, show: UnboundedSender<String>, hint: Hint, options: Value) -> Outcome {
    let shown = move |progress| {
        if let Progress::ShowQr { code, .. } = progress {
            let _ = show.send(code.expose_text().to_owned());
        }
    };
    let mut phone = session.connect(shown).await.unwrap();
    let outcome = request(&mut phone, hint, &options["publicKey"]).await;
    phone.close().await.unwrap();
    outcome.map_err(|error| match error {
        CeremonyError::Session(Error::Refused(status)) => status.get(),
        other => panic!("{other}"),
    })
}

async fn request(phone: &mut CtapChannel, hint: Hint, options: &Value) -> Result<Value, CeremonyError> {
    let (origin, options) = (Origin::parse(ORIGIN).unwrap(), serde_json::to_vec(options).unwrap());
    if hint == Hint::MakeCredential {
        let options = CreationOptions::from_json(&options).unwrap();
        let made = Creation::new(&origin, options).unwrap().run(phone).await?;
        Ok(serde_json::to_value(made).unwrap())
    } else {
        let options = RequestOptions::from_json(&options).unwrap();
        let signed = Assertion::new(&origin, &options).unwrap().run(phone).await?;
        Ok(serde_json::to_value(signed).unwrap())
    }
}

async fn both(world: World, domain: DomainId) -> String {
    let mut meeting = Meeting::new(world, domain);
    let passkey = meeting.register().await;
    meeting.sign_in(&passkey).await;
    let seen = meeting.world.web.take_seen();
    let host = domain.host().unwrap();
    assert!(seen.iter().all(|seen| seen.host == host), "{seen:?}");
    let opened: Vec<_> = seen.iter().filter_map(|seen| seen.path.strip_prefix("/cable/new/")).collect();
    assert_eq!(opened.len(), 2, "{seen:?}");
    assert!(opened.iter().all(|id| !id.contains(|letter: char| letter.is_ascii_lowercase())), "{seen:?}");
    "path in upper case".to_owned()
}

/// The phone would refuse, but its library reads every exclude list as an empty one.
async fn excluded(world: World) -> String {
    let mut meeting = Meeting::new(world, HASHED);
    let passkey = meeting.register().await;
    let (options, state) = meeting.website.begin_registration(&[&passkey]);
    let credential = meeting.meet(Hint::MakeCredential, options).await.unwrap();
    let second = meeting.website.finish_registration(&state, credential);
    assert_ne!(second.cred_id(), passkey.cred_id());
    "the list is dropped by the phone".to_owned()
}

async fn unknown(world: World) -> String {
    let passkey = Meeting::new(world.clone(), HASHED).register().await;
    let mut other = Meeting::new(world, HASHED);
    let (options, _) = other.website.begin_sign_in(&[passkey]);
    assert_eq!(other.meet(Hint::GetAssertion, options).await, Err(0x2e));
    String::new()
}

async fn declined(world: World) -> String {
    let mut meeting = Meeting::new(world, HASHED);
    meeting.agrees = false;
    let (options, _) = meeting.website.begin_registration(&[]);
    assert_eq!(meeting.meet(Hint::MakeCredential, options).await, Err(0x27));
    String::new()
}

async fn linking(world: World) -> String {
    let mut meeting = Meeting::new(world, HASHED);
    meeting.links = true;
    meeting.register().await;
    "it offers none".to_owned()
}

async fn crowded(world: World) -> String {
    let strangers = world.strangers().await;
    Meeting::new(world, HASHED).register().await;
    format!("{} strangers", strangers.len())
}

async fn row(world: World) -> String {
    let mut meeting = Meeting::new(world, HASHED);
    let passkey = meeting.register().await;
    for _ in 1..ROW {
        meeting.sign_in(&passkey).await;
    }
    "by one process".to_owned()
}
