//! The laptop's screen and whoever looks at it: the only way from the code to the phone.

use std::sync::Arc;

use hybridge_picture::{DrawError, Picture};
use tokio::sync::watch;

/// A QR code as it stands on the screen.
pub struct Shown {
    /// The picture, to be drawn elsewhere too.
    pub picture: Picture,
    /// The same as a PNG file, which is all that a phone's camera gets.
    pub png: Vec<u8>,
}

/// A screen that shows one code at a time. When it is dropped, there will be none any more.
pub struct Screen {
    shown: watch::Sender<Option<Arc<Shown>>>,
}

/// Looks at a [`Screen`]. Clones look at the same one.
#[derive(Clone)]
pub struct View {
    shown: watch::Receiver<Option<Arc<Shown>>>,
}

impl Screen {
    /// A dark screen.
    pub fn new() -> Self {
        Self { shown: watch::Sender::new(None) }
    }

    /// Somebody who looks at it.
    pub fn view(&self) -> View {
        let mut shown = self.shown.subscribe();
        // What stands there already is new to whoever comes now.
        shown.mark_changed();
        View { shown }
    }

    /// Draws the text of a code, in place of an earlier one.
    ///
    /// # Errors
    /// [`DrawError`].
    pub fn show(&self, text: &str) -> Result<Arc<Shown>, DrawError> {
        let picture = Picture::draw(text)?;
        let png = picture.to_png()?;
        let shown = Arc::new(Shown { picture, png });
        self.shown.send_replace(Some(Arc::clone(&shown)));
        Ok(shown)
    }

    /// Takes the code off.
    pub fn clear(&self) {
        self.shown.send_replace(None);
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl View {
    /// Waits until there is a code on the screen that has not been looked at; `None` when the screen is gone first.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the code to be looked at.
    pub async fn next(&mut self) -> Option<Arc<Shown>> {
        loop {
            self.shown.changed().await.ok()?;
            let shown = self.shown.borrow_and_update().clone();
            if shown.is_some() {
                return shown;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridge_picture::from_png;

    #[tokio::test]
    async fn each_code_is_looked_at_once() {
        let screen = Screen::new();
        let mut view = screen.view();
        for text in ["FIDO:/1", "FIDO:/2"] {
            screen.show(text).unwrap();
            assert_eq!(*from_png(&view.next().await.unwrap().png).unwrap(), text);
        }
        let mut late = screen.view();
        assert!(late.next().await.is_some(), "who comes late sees it too");
        drop(screen);
        assert!(late.next().await.is_none() && view.next().await.is_none());
    }

    #[tokio::test]
    async fn a_code_that_was_taken_off_is_not_seen() {
        let screen = Screen::new();
        screen.show("FIDO:/1").unwrap();
        screen.clear();
        let mut view = screen.view();
        drop(screen);
        assert!(view.next().await.is_none());
    }
}
