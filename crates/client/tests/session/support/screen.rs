//! What a laptop shows.

use std::sync::{Arc, Mutex};

use hybridge_client::{Link, Progress};
use tokio::sync::watch;

/// Keeps what a session told.
#[derive(Clone)]
pub struct Screen {
    told: Arc<Mutex<Vec<Progress>>>,
    changed: watch::Sender<()>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { told: Arc::default(), changed: watch::Sender::new(()) }
    }
}

impl Screen {
    pub fn watch(&self) -> impl FnMut(Progress) + Send + 'static {
        let screen = self.clone();
        move |progress| {
            screen.told.lock().unwrap().push(progress);
            screen.changed.send_replace(());
        }
    }

    /// The text of the code with this number, once it is shown.
    pub async fn code(&self, number: usize) -> String {
        let nth = |told: &mut Vec<Progress>| {
            let codes = told.iter().filter_map(|progress| match progress {
                Progress::ShowQr { code, .. } => Some(code.expose_text().to_owned()),
                _ => None,
            });
            codes.into_iter().nth(number)
        };
        self.wait_for(nth).await
    }

    /// Waits until a step of this name was told.
    pub async fn until(&self, name: &str) {
        self.wait_for(|told| told.iter().any(|progress| name_of(progress) == name).then_some(())).await;
    }

    pub async fn link(&self) -> Link {
        let take = |told: &mut Vec<Progress>| {
            let position = told.iter().position(|progress| matches!(progress, Progress::Linked(_)))?;
            match told.remove(position) {
                Progress::Linked(link) => Some(*link),
                _ => None,
            }
        };
        self.wait_for(take).await
    }

    /// The names of all steps, in order.
    pub fn steps(&self) -> Vec<String> {
        self.told.lock().unwrap().iter().map(name_of).collect()
    }

    async fn wait_for<T>(&self, mut look: impl FnMut(&mut Vec<Progress>) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            if let Some(found) = look(&mut self.told.lock().unwrap()) {
                return found;
            }
            changes.changed().await.unwrap();
        }
    }
}

fn name_of(progress: &Progress) -> String {
    let text = format!("{progress:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
