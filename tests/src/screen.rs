//! The laptop's screen and the phone's camera: between them a picture and nothing else.

use std::sync::{Arc, Mutex};

use hybridge_client::Progress;
use hybridge_picture::{Picture, from_png};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::Instant,
};

/// A screen in front of a camera.
pub struct Screen {
    pictures: UnboundedReceiver<Vec<u8>>,
    steps: Steps,
}

/// When a session told what.
#[derive(Clone, Default)]
pub struct Steps(Arc<Mutex<Vec<(String, Instant)>>>);

impl Steps {
    /// When the step of this name was told first.
    pub fn moment(&self, name: &str) -> Option<Instant> {
        self.0.lock().unwrap().iter().find(|(step, _)| step == name).map(|(_, at)| *at)
    }
}

impl Screen {
    /// A dark screen, and what a session tells its steps to.
    pub fn new() -> (Self, impl FnMut(Progress) + Send + 'static) {
        let (show, pictures) = unbounded_channel();
        let steps = Steps::default();
        let noted = steps.clone();
        let watch = move |progress: Progress| {
            let text = format!("{progress:?}");
            let name = text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            noted.0.lock().unwrap().push((name.to_owned(), Instant::now()));
            if let Progress::ShowQr { code, .. } = progress {
                let _ = show.send(Picture::draw(code.expose_text()).unwrap().to_png().unwrap());
            }
        };
        (Self { pictures, steps }, watch)
    }

    /// Waits for the next picture and reads it.
    pub async fn scan(&mut self) -> String {
        from_png(&self.pictures.recv().await.unwrap()).unwrap().to_string()
    }

    /// What was told.
    pub fn steps(&self) -> Steps {
        self.steps.clone()
    }
}
