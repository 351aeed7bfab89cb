//! The desktop's portal (XDG Desktop Portal, interface org.freedesktop.portal.Screenshot).

use std::{collections::HashMap, fs, path::PathBuf, time::Duration};

use futures_util::StreamExt;
use image::GrayImage;
use tokio::time::timeout;
use url::Url;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Variant, message::Type};

use super::ScreenError;
use crate::read;

const SERVICE: &str = "org.freedesktop.portal.Desktop";
const OBJECT: &str = "/org/freedesktop/portal/desktop";
const SCREENSHOT: &str = "org.freedesktop.portal.Screenshot";
const REQUEST: &str = "org.freedesktop.portal.Request";

/// How long the desktop may take, with the person's answer to its question.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desktop that takes screenshots for programs. It asks the person at the first one.
#[derive(Debug, Clone)]
pub struct PortalScreen {
    bus: Connection,
}

impl PortalScreen {
    /// Connects to the session bus.
    ///
    /// # Errors
    /// [`ScreenError::Portal`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open() -> Result<Self, ScreenError> {
        Ok(Self::on(Connection::session().await.map_err(ScreenError::Portal)?))
    }

    /// A desktop on this bus.
    pub const fn on(bus: Connection) -> Self {
        Self { bus }
    }

    /// A picture of everything on the screen. The file in which the desktop hands it over is removed, as it may show a
    /// code.
    ///
    /// # Errors
    /// Any [`ScreenError`] but those of X11.
    ///
    /// # Cancel safety
    /// Dropping the future loses the picture; a screenshot that the desktop takes nevertheless may stay in its folder.
    pub async fn capture(&self) -> Result<GrayImage, ScreenError> {
        let file = timeout(PATIENCE, self.ask()).await.map_err(|_| ScreenError::TimedOut(PATIENCE))??;
        let png = fs::read(&file).map(zeroize::Zeroizing::new);
        let png = png.map_err(|error| ScreenError::File(file.clone(), error))?;
        // Whoever must not see the code cannot read the file either; at worst it stays.
        let _ = fs::remove_file(&file);
        read::pixels_of_png(&png).map_err(ScreenError::NotPng)
    }

    /// Has a screenshot taken, and gives its file.
    async fn ask(&self) -> Result<PathBuf, ScreenError> {
        // Before the call, so that no answer can come too early.
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(REQUEST).member("Response");
        // The bus lets nobody else answer, who could name any picture.
        let rule = rule.sender(SERVICE).build().map_err(ScreenError::Portal)?;
        let mut answers =
            MessageStream::for_match_rule(rule, &self.bus, None).await.map_err(ScreenError::Portal)?;
        let options = HashMap::from([("interactive", Variant::from(false))]);
        let (bus, call) = (&self.bus, ("", options));
        let asked = bus.call_method(Some(SERVICE), OBJECT, Some(SCREENSHOT), "Screenshot", &call).await;
        let asked = asked.map_err(ScreenError::Portal)?;
        let request: OwnedObjectPath = asked.body().deserialize().map_err(ScreenError::Portal)?;
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(ScreenError::Portal)?;
            if answer.header().path().is_none_or(|path| path.as_str() != request.as_str()) {
                continue;
            }
            let (response, mut results): (u32, HashMap<String, OwnedVariant>) =
                answer.body().deserialize().map_err(ScreenError::Portal)?;
            if response != 0 {
                return Err(ScreenError::Denied);
            }
            return results.remove("uri").and_then(file).ok_or(ScreenError::NotAFile);
        }
        Err(ScreenError::Portal(zbus::Error::InvalidReply))
    }
}

fn file(uri: OwnedVariant) -> Option<PathBuf> {
    let uri = String::try_from(uri).ok()?;
    Url::parse(&uri).ok()?.to_file_path().ok()
}

#[cfg(test)]
mod tests;
