//! Who gets a key, with a login manager that says what the test wants.

use std::{
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
};

use zbus::{Guid, connection, fdo, interface, object_server::InterfaceRef};

use super::*;

const USER: &str = "/org/freedesktop/login1/user/_1000";
const SESSION: &str = "/org/freedesktop/login1/session/_32";

fn path(text: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(text).unwrap()
}

/// Knows one user, who has one session.
struct FakeManager;

#[interface(name = "org.freedesktop.login1.Manager")]
impl FakeManager {
    fn get_user(&self, uid: u32) -> fdo::Result<OwnedObjectPath> {
        if uid == 1000 { Ok(path(USER)) } else { Err(fdo::Error::Failed("no such user".to_owned())) }
    }

    #[zbus(signal)]
    async fn session_removed(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        id: String,
        path: OwnedObjectPath,
    ) -> zbus::Result<()>;
}

struct FakeUser {
    logged_in: bool,
}

#[interface(name = "org.freedesktop.login1.User")]
impl FakeUser {
    #[zbus(property)]
    fn sessions(&self) -> Vec<(String, OwnedObjectPath)> {
        if self.logged_in { vec![("2".to_owned(), path(SESSION))] } else { Vec::new() }
    }
}

#[derive(Clone)]
struct Facts {
    active: bool,
    remote: bool,
    class: &'static str,
    seat: &'static str,
}

const AT_THE_SCREEN: Facts = Facts { active: true, remote: false, class: "user", seat: "seat0" };

struct FakeSession(Arc<Mutex<Facts>>);

#[interface(name = "org.freedesktop.login1.Session")]
impl FakeSession {
    #[zbus(property)]
    fn active(&self) -> bool {
        self.0.lock().unwrap().active
    }

    #[zbus(property)]
    fn remote(&self) -> bool {
        self.0.lock().unwrap().remote
    }

    #[zbus(property)]
    fn class(&self) -> String {
        self.0.lock().unwrap().class.to_owned()
    }

    #[zbus(property)]
    fn seat(&self) -> (String, OwnedObjectPath) {
        (self.0.lock().unwrap().seat.to_owned(), path("/org/freedesktop/login1/seat/seat0"))
    }
}

/// A login manager at the other end of a connection.
struct Fake {
    server: Connection,
    facts: Arc<Mutex<Facts>>,
}

impl Fake {
    async fn new(facts: Facts, logged_in: bool) -> (Self, Seats) {
        let (near, far) = UnixStream::pair().unwrap();
        let facts = Arc::new(Mutex::new(facts));
        let server = connection::Builder::unix_stream(far)
            .server(Guid::generate())
            .p2p()
            .serve_at("/org/freedesktop/login1", FakeManager)
            .serve_at(USER, FakeUser { logged_in })
            .serve_at(SESSION, FakeSession(Arc::clone(&facts)))
            .build();
        let client = connection::Builder::unix_stream(near).p2p().build();
        let (server, bus) = tokio::try_join!(server, client).unwrap();
        (Self { server, facts }, Seats { bus })
    }

    async fn session(&self) -> InterfaceRef<FakeSession> {
        self.server.object_server().interface(SESSION).await.unwrap()
    }
}

#[tokio::test]
async fn whoever_sits_at_the_screen_gets_a_key_and_nobody_else() {
    let (_fake, seats) = Fake::new(AT_THE_SCREEN, true).await;
    assert!(seats.active_session(1000).await.is_ok());
    assert!(matches!(seats.active_session(1001).await, Err(Failure::NotAtTheScreen(1001))), "not logged in");
    for facts in [
        Facts { active: false, ..AT_THE_SCREEN },
        Facts { remote: true, ..AT_THE_SCREEN },
        Facts { class: "background", ..AT_THE_SCREEN },
        Facts { seat: "", ..AT_THE_SCREEN },
    ] {
        let (_fake, seats) = Fake::new(facts, true).await;
        assert!(matches!(seats.active_session(1000).await, Err(Failure::NotAtTheScreen(1000))));
    }
    let (_fake, seats) = Fake::new(AT_THE_SCREEN, false).await;
    assert!(matches!(seats.active_session(1000).await, Err(Failure::NotAtTheScreen(1000))), "no session");
}

#[tokio::test]
async fn a_login_manager_that_does_not_answer_is_a_no() {
    let (fake, seats) = Fake::new(AT_THE_SCREEN, true).await;
    fake.server.close().await.unwrap();
    assert!(matches!(seats.active_session(1000).await, Err(Failure::LoginManager(_))));
}

#[tokio::test]
async fn the_key_ends_with_the_session() {
    let (fake, seats) = Fake::new(AT_THE_SCREEN, true).await;
    let session = seats.active_session(1000).await.unwrap();
    let (ended, ()) = tokio::join!(tokio::time::timeout(LONG, session.ended()), async {
        let session = fake.session().await;
        session.get().await.active_changed(session.signal_emitter()).await.unwrap();
        fake.facts.lock().unwrap().active = false;
        session.get().await.active_changed(session.signal_emitter()).await.unwrap();
    });
    ended.expect("another user is at the screen");

    let (fake, seats) = Fake::new(AT_THE_SCREEN, true).await;
    let session = seats.active_session(1000).await.unwrap();
    let (ended, ()) = tokio::join!(tokio::time::timeout(LONG, session.ended()), async {
        let manager =
            fake.server.object_server().interface::<_, FakeManager>("/org/freedesktop/login1").await.unwrap();
        FakeManager::session_removed(manager.signal_emitter(), "2".to_owned(), path(SESSION)).await.unwrap();
    });
    ended.expect("the session is over");

    let (fake, seats) = Fake::new(AT_THE_SCREEN, true).await;
    let session = seats.active_session(1000).await.unwrap();
    let (ended, closed) = tokio::join!(tokio::time::timeout(LONG, session.ended()), fake.server.close());
    ended.expect("nobody says who is at the screen");
    closed.unwrap();
}

/// Far more than any of this takes.
const LONG: std::time::Duration = std::time::Duration::from_secs(60);
