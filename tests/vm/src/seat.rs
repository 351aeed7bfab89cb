//! A login manager: what `hybridge-key-helper` asks of systemd's, on the machine's own system bus. It knows one user with one
//! session, which is at the screen or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hybridge_radio_conformance::table::Failure;

use zbus::{Connection, OwnedObjectPath, connection, fdo, interface};

/// The only user who ever sits at the screen.
pub(crate) const USER: u32 = 1000;

const NAME: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const USER_PATH: &str = "/org/freedesktop/login1/user/_1000";
const SESSION_PATH: &str = "/org/freedesktop/login1/session/_31";
const SEAT_PATH: &str = "/org/freedesktop/login1/seat/seat0";

struct Manager;

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn get_user(&self, uid: u32) -> fdo::Result<OwnedObjectPath> {
        if uid == USER { path(USER_PATH) } else { Err(fdo::Error::Failed("not logged in".to_owned())) }
    }
}

struct User;

#[interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn sessions(&self) -> fdo::Result<Vec<(String, OwnedObjectPath)>> {
        Ok(vec![("1".to_owned(), path(SESSION_PATH)?)])
    }
}

struct Session(Arc<AtomicBool>);

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn active(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    #[zbus(property)]
    fn remote(&self) -> bool {
        false
    }

    #[zbus(property)]
    fn class(&self) -> String {
        "user".to_owned()
    }

    #[zbus(property)]
    fn seat(&self) -> fdo::Result<(String, OwnedObjectPath)> {
        Ok(("seat0".to_owned(), path(SEAT_PATH)?))
    }
}

fn path(text: &str) -> fdo::Result<OwnedObjectPath> {
    OwnedObjectPath::try_from(text).map_err(|error| fdo::Error::Failed(error.to_string()))
}

/// The running login manager. It ends when this is dropped.
pub(crate) struct Seat {
    bus: Connection,
    active: Arc<AtomicBool>,
}

impl Seat {
    /// Starts it, with nobody at the screen.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let active = Arc::new(AtomicBool::new(false));
        let started = async {
            connection::Builder::system()
                .serve_at(MANAGER_PATH, Manager)
                .serve_at(USER_PATH, User)
                .serve_at(SESSION_PATH, Session(Arc::clone(&active)))
                .name(NAME)
                .build()
                .await
        };
        let bus = started.await.map_err(Failure::needed("the login manager"))?;
        Ok(Self { bus, active })
    }

    /// The user sits down or leaves, of which whoever listens is told.
    pub(crate) async fn set_active(&self, active: bool) -> Result<(), Failure> {
        self.active.store(active, Ordering::Relaxed);
        let told = async {
            let session = self.bus.object_server().interface::<_, Session>(SESSION_PATH).await?;
            session.get().await.active_changed(session.signal_emitter()).await
        };
        told.await.map_err(Failure::needed("the login manager"))
    }
}
