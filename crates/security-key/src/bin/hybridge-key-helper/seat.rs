//! Who sits at this computer, by the login manager (`org.freedesktop.login1`). Whatever it does not say, or does not say in
//! time, is a no.

use futures_util::StreamExt;
use zbus::{Connection, OwnedObjectPath, proxy};

use crate::failure::Failure;

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Manager {
    fn get_user(&self, uid: u32) -> zbus::Result<OwnedObjectPath>;
    #[zbus(signal)]
    fn session_removed(&self, id: String, path: OwnedObjectPath) -> zbus::Result<()>;
}

#[proxy(interface = "org.freedesktop.login1.User", default_service = "org.freedesktop.login1")]
trait User {
    #[zbus(property)]
    fn sessions(&self) -> zbus::Result<Vec<(String, OwnedObjectPath)>>;
}

#[proxy(interface = "org.freedesktop.login1.Session", default_service = "org.freedesktop.login1")]
trait Session {
    #[zbus(property)]
    fn active(&self) -> zbus::Result<bool>;
    #[zbus(property)]
    fn remote(&self) -> zbus::Result<bool>;
    #[zbus(property)]
    fn class(&self) -> zbus::Result<String>;
    #[zbus(property)]
    fn seat(&self) -> zbus::Result<(String, OwnedObjectPath)>;
}

/// The login manager.
pub(crate) struct Seats {
    bus: Connection,
}

/// A session at the screen that was active a moment ago.
pub(crate) struct AtTheScreen {
    session: SessionProxy<'static>,
    removed: SessionRemovedStream,
}

impl Seats {
    pub(crate) async fn connect() -> Result<Self, Failure> {
        Ok(Self { bus: Connection::system().await? })
    }

    /// The user's session at the screen, if it is the one that is to be seen there.
    pub(crate) async fn active_session(&self, user: u32) -> Result<AtTheScreen, Failure> {
        let manager = ManagerProxy::new(&self.bus).await?;
        // Listened to before the question, so that no end is missed.
        let removed = manager.receive_session_removed().await?;
        let path = match manager.get_user(user).await {
            Ok(path) => path,
            // A user that is not logged in.
            Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => {
                return Err(Failure::NotAtTheScreen(user));
            }
            Err(error) => return Err(error.into()),
        };
        let user_proxy = UserProxy::new(&self.bus, path).await?;
        for (_, path) in user_proxy.sessions().await? {
            let session = SessionProxy::new(&self.bus, path).await?;
            if at_the_screen(&session).await? {
                return Ok(AtTheScreen { session, removed });
            }
        }
        Err(Failure::NotAtTheScreen(user))
    }
}

/// Whether this is a person's session that is shown on a screen of this computer now.
async fn at_the_screen(session: &SessionProxy<'_>) -> zbus::Result<bool> {
    let here = !session.remote().await? && !session.seat().await?.0.is_empty();
    Ok(here && session.class().await? == "user" && session.active().await?)
}

impl AtTheScreen {
    /// Waits until the session is not to be seen any more, or the login manager does not say.
    pub(crate) async fn ended(mut self) {
        let mut changes = self.session.receive_active_changed().await;
        loop {
            tokio::select! {
                change = changes.next() => match change {
                    Some(change) if change.get().await.unwrap_or(false) => {}
                    _ => return,
                },
                removed = self.removed.next() => match removed.as_ref().map(SessionRemoved::args) {
                    Some(Ok(args)) if args.path().as_str() != self.session.inner().path().as_str() => {}
                    _ => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
