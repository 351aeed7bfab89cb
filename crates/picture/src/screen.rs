//! Pictures of the screen, to read codes off it.
//!
//! [`Screen::open`] takes what the session has: the desktop's portal under Wayland, the X server's root window under
//! X11. Under Wayland the X server shows X11 windows only, and its root window is empty, so that the portal goes
//! first.

mod portal;
mod x11;

use std::{env, ffi::OsStr, io, path::PathBuf, time::Duration};

use image::{GrayImage, ImageError};
use thiserror::Error;

pub use self::{portal::PortalScreen, x11::X11Screen};

/// Why there is no picture of the screen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScreenError {
    /// Neither Wayland nor X11.
    #[error(
        "there is no screen here: neither WAYLAND_DISPLAY nor DISPLAY is set; start this from a desktop session"
    )]
    NoScreen,
    /// The X server cannot be reached, or the connection to it broke.
    #[error("the X server of DISPLAY cannot be used; start this from a desktop session of yours")]
    X11(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The X server's pixels have a form that is not read.
    #[error("the X server has {depth} bits a pixel in a form that is not known; use one with 24 or 32")]
    PixelFormat {
        /// Bits a pixel, as the server says.
        depth: u8,
    },
    /// The desktop has no portal, or it has no screenshots.
    #[error("the desktop gives no screenshots; install xdg-desktop-portal and the one for your desktop")]
    Portal(#[source] zbus::Error),
    /// The person or the desktop's settings do not let this program take screenshots.
    #[error(
        "the desktop does not let this program take screenshots; allow it when you are asked, or in the settings"
    )]
    Denied,
    /// The desktop did not answer.
    #[error(
        "the desktop took no screenshot within {0:?}; answer its question, or restart xdg-desktop-portal"
    )]
    TimedOut(Duration),
    /// The desktop gave its screenshot in a place that is not a file of this computer.
    #[error("the desktop gave its screenshot as something that is not a file; update xdg-desktop-portal")]
    NotAFile,
    /// The desktop's file could not be read.
    #[error("the desktop's screenshot {} could not be read; check that it is yours to read", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The desktop's file is not a PNG picture.
    #[error("the desktop's screenshot is not a usable PNG file; update xdg-desktop-portal")]
    NotPng(#[source] ImageError),
}

/// Whatever shows the pictures of this session.
#[derive(Debug)]
#[non_exhaustive]
pub enum Screen {
    /// The root window of an X server.
    X11(X11Screen),
    /// The desktop's portal.
    Portal(PortalScreen),
}

/// Which kind of session this is.
#[derive(Debug, PartialEq, Eq)]
enum Session {
    Wayland,
    X11,
}

impl Screen {
    /// Opens the screen of this session. Nothing is captured yet.
    ///
    /// # Errors
    /// [`ScreenError::NoScreen`], [`ScreenError::X11`] or [`ScreenError::Portal`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open() -> Result<Self, ScreenError> {
        let set = |name| env::var_os(name);
        match session(set("WAYLAND_DISPLAY").as_deref(), set("DISPLAY").as_deref()) {
            Some(Session::Wayland) => Ok(Self::Portal(PortalScreen::open().await?)),
            Some(Session::X11) => Ok(Self::X11(X11Screen::open(None)?)),
            None => Err(ScreenError::NoScreen),
        }
    }

    /// How long to wait between two pictures: an X server gives them at little cost, and a desktop may flash, or take
    /// a second.
    pub const fn pause(&self) -> Duration {
        match self {
            Self::X11(_) => Duration::from_millis(250),
            Self::Portal(_) => Duration::from_secs(2),
        }
    }

    /// A picture of everything on the screen.
    ///
    /// # Errors
    /// [`ScreenError`], but never [`ScreenError::NoScreen`].
    ///
    /// # Cancel safety
    /// Dropping the future loses the picture; a screenshot that the desktop takes nevertheless may stay in its folder.
    pub async fn capture(&mut self) -> Result<GrayImage, ScreenError> {
        match self {
            Self::X11(screen) => screen.capture().await,
            Self::Portal(screen) => screen.capture().await,
        }
    }
}

fn session(wayland: Option<&OsStr>, x11: Option<&OsStr>) -> Option<Session> {
    let is_set = |name: Option<&OsStr>| name.is_some_and(|name| !name.is_empty());
    if is_set(wayland) {
        Some(Session::Wayland)
    } else if is_set(x11) {
        Some(Session::X11)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_goes_before_an_x_server() {
        let some = |name: &'static str| Some(OsStr::new(name));
        assert_eq!(session(some("wayland-0"), some(":0")), Some(Session::Wayland));
        assert_eq!(session(some("wayland-0"), None), Some(Session::Wayland));
        assert_eq!(session(None, some(":0")), Some(Session::X11));
        assert_eq!(session(some(""), some(":0")), Some(Session::X11));
        assert_eq!(session(some(""), some("")), None);
        assert_eq!(session(None, None), None);
    }
}
