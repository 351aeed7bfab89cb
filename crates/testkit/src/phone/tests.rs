//! A computer of the simulated air and a phone that follows a script.

use hybridge_ble::sim::Air;
use hybridge_client::{
    CtapChannel, Error as ClientError, Hint, Progress, Session, SessionConfig,
    passkey_types::{
        ctap2::{get_assertion, make_credential},
        webauthn::{PublicKeyCredentialParameters, PublicKeyCredentialUserEntity},
    },
    proto::keys::{PrivateKey, QrSecret},
    proto::qr::QrCode,
    tunnel::MemoryService,
};
use passkey_crypto::iana::Algorithm;
use tokio::sync::mpsc;

use super::*;

const RP_ID: &str = "demo.example";

struct World {
    air: Air,
    service: MemoryService,
    phone: ScriptedPhone,
}

impl World {
    fn new() -> Self {
        let (air, service) = (Air::new(1), MemoryService::new());
        let dialer = Arc::new(service.clone());
        let phone = ScriptedPhone::new(air.device("phone"), DomainId::new(266), dialer);
        Self { air, service, phone }
    }

    /// Shows the phone a code and connects to it.
    async fn connect(&self) -> Result<CtapChannel, ClientError> {
        let (radio, dialer) = (Arc::new(self.air.device("laptop")), Arc::new(self.service.clone()));
        let session = Session::start(SessionConfig::new(Hint::GetAssertion), radio, dialer)?;
        let (show, mut screen) = mpsc::unbounded_channel();
        let connect = session.connect(move |progress| {
            if let Progress::ShowQr { code, .. } = progress {
                let _ = show.send(code.expose_text().to_owned());
            }
        });
        let scan = async {
            let code = screen.recv().await.unwrap();
            self.phone.scan(&code);
        };
        tokio::join!(connect, scan).0
    }

    async fn create(&self, user: &str) -> Result<(), ClientError> {
        let mut channel = self.connect().await?;
        channel.make_credential(&creation(user)).await?;
        channel.close().await
    }

    /// Signs in, and gives the user handle.
    async fn get(&self) -> Result<Vec<u8>, ClientError> {
        let mut channel = self.connect().await?;
        let reply = channel.get_assertion(&assertion()).await?;
        channel.close().await?;
        Ok(reply.value.user.unwrap().id.to_vec())
    }

    async fn wait(&self, state: &str) -> PhoneStatus {
        self.phone.wait_for(|status| status.state.name() == state).await
    }
}

fn creation(user: &str) -> make_credential::Request {
    make_credential::Request {
        client_data_hash: vec![0xC1; 32].into(),
        rp: make_credential::PublicKeyCredentialRpEntity { id: RP_ID.into(), name: Some("Demo".into()) },
        user: PublicKeyCredentialUserEntity {
            id: user.as_bytes().to_vec().into(),
            display_name: user.to_uppercase(),
            name: user.into(),
        },
        pub_key_cred_params: vec![PublicKeyCredentialParameters::from(Algorithm::ES256)],
        exclude_list: None,
        extensions: None,
        options: make_credential::Options { rk: true, up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

fn assertion() -> get_assertion::Request {
    get_assertion::Request {
        rp_id: RP_ID.into(),
        client_data_hash: vec![0xA5; 32].into(),
        allow_list: None,
        extensions: None,
        options: get_assertion::Options { up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

#[tokio::test(start_paused = true)]
async fn it_approves_and_remembers() {
    let world = World::new();
    assert_eq!(world.phone.status(), PhoneStatus::default());
    world.create("ada").await.unwrap();
    assert_eq!(world.wait("finished").await.state, PhoneState::Finished { status: Some(0) });
    let [passkey] = world.phone.passkeys().await.try_into().unwrap();
    assert_eq!((passkey.rp_id.as_str(), passkey.user_name.as_deref()), (RP_ID, Some("ada")));
    assert_eq!(world.get().await.unwrap(), b"ada");
    world.phone.forget_passkeys().await;
    assert!(world.get().await.is_err());
    assert_eq!(world.phone.passkeys().await, []);
}

#[tokio::test(start_paused = true)]
async fn it_refuses() {
    let world = World::new();
    world.phone.set_answer(Answer::Refuse);
    assert!(world.create("ada").await.is_err());
    assert_eq!(world.phone.passkeys().await, []);
    // CTAP2_ERR_OPERATION_DENIED
    let denied = |status: &PhoneStatus| match status.state {
        PhoneState::Answered { status } => status == 0x27,
        PhoneState::Finished { status } => status == Some(0x27),
        _ => false,
    };
    world.phone.wait_for(denied).await;
}

#[tokio::test(start_paused = true)]
async fn it_waits_to_be_told() {
    let world = World::new();
    world.phone.set_answer(Answer::Wait);
    assert_eq!(world.phone.approve(), Err(NoQuestion));
    for approve in [true, false] {
        let owner = async {
            let asking = world.wait("asking").await;
            let question = Question::Create { rp_id: RP_ID.into(), user: Some("ada".into()) };
            assert_eq!(asking.state, PhoneState::Asking(question));
            if approve { world.phone.approve() } else { world.phone.refuse() }.unwrap();
        };
        let (created, ()) = tokio::join!(world.create("ada"), owner);
        assert_eq!(created.is_ok(), approve);
        assert_eq!(world.phone.refuse(), Err(NoQuestion), "the question is answered");
    }
}

#[tokio::test(start_paused = true)]
async fn it_takes_its_time() {
    let world = World::new();
    let delay = Duration::from_secs(7);
    world.phone.set_delay(delay);
    let began = tokio::time::Instant::now();
    world.create("ada").await.unwrap();
    // The clock is virtual.
    assert!(began.elapsed() >= delay);
}

#[tokio::test(start_paused = true)]
async fn it_picks_the_account_that_it_was_told() {
    let world = World::new();
    world.create("ada").await.unwrap();
    world.create("bob").await.unwrap();
    assert_eq!(world.get().await.unwrap(), b"bob", "the newest");
    world.phone.set_account(Some("ada".to_owned()));
    assert_eq!(world.get().await.unwrap(), b"ada");
    world.phone.set_account(Some("BOB".to_owned()));
    assert_eq!(world.get().await.unwrap(), b"bob", "by the display name");
    world.phone.set_account(Some("eve".to_owned()));
    assert!(world.get().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn without_a_radio_nobody_finds_it() {
    let world = World::new();
    world.phone.set_radio(false);
    assert!(world.connect().await.is_err());
    let PhoneState::Failed { reason } = world.phone.status().state else { panic!("it cannot advertise") };
    assert!(reason.contains("Bluetooth"), "{reason}");
    world.phone.set_radio(true);
    world.create("ada").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_code_ends_the_session_of_the_old_one() {
    let world = World::new();
    world.phone.set_answer(Answer::Wait);
    let (show, mut screen) = mpsc::unbounded_channel();
    let first = async {
        let outcome = world.create("ada").await;
        let _ = show.send(());
        outcome
    };
    let second = async {
        world.wait("asking").await;
        world.phone.set_answer(Answer::Approve);
        world.create("bob").await.unwrap();
        screen.recv().await;
    };
    let (first, ()) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!(world.phone.passkeys().await.len(), 1);
    assert_eq!(world.wait("finished").await.session, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_code_fails_and_hanging_up_ends() {
    let world = World::new();
    assert!(world.phone.answer("FIDO:/12").await.is_err());
    assert_eq!(world.phone.status().state.name(), "failed");
    let code = QrCode::new(*PrivateKey::from_seed(b"x").public_key(), QrSecret::from_bytes(&[1; 16]));
    let session = world.phone.scan(code.to_uri().expose_text());
    world.wait("advertising").await;
    world.phone.hang_up();
    let status = world.phone.status();
    assert_eq!((status.session, status.state.name()), (session, "failed"));
}

#[tokio::test(start_paused = true)]
async fn sessions_that_are_over_are_not_kept() {
    let air = Air::new(1);
    let phone = ScriptedPhone::new(air.device("phone"), DomainId::new(266), Arc::new(MemoryService::new()));
    for number in 1..=5 {
        assert_eq!(phone.scan("https://example.com"), number);
        phone.wait_for(|status| status.session == number && status.state.name() == "failed").await;
    }
    phone.hang_up();
    assert!(phone.session_slot().len() <= 1, "{}", phone.session_slot().len());
}
