//! The phone's camera, pointed at a screen.

use std::{sync::Arc, time::Duration};

use hybridge_picture::{from_pixels, screen::X11Screen};
use hybridge_proto::qr::QrCode;
use tokio::{task::spawn_blocking, time::sleep};
use zeroize::Zeroizing;

use crate::phone::ScriptedPhone;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Watches an X display, and shows the phone each new code of the hybrid transport that appears there. A display that
/// is not there is waited for.
pub(super) async fn watch(name: String, phone: Arc<ScriptedPhone>) {
    let mut last = Zeroizing::new(String::new());
    let mut complained = false;
    loop {
        let screen = match X11Screen::open(Some(&name)) {
            Ok(screen) => screen,
            Err(error) => {
                if !complained {
                    tracing::warn!(%name, %error, "no screen to watch yet");
                }
                complained = true;
                sleep(PAUSE).await;
                continue;
            }
        };
        while let Ok(picture) = screen.capture().await {
            let text = spawn_blocking(move || from_pixels(picture)).await;
            if let Ok(Ok(text)) = text
                && *text != *last
                && QrCode::parse(&text).is_ok()
            {
                tracing::info!("the phone scans a code off the screen");
                phone.scan(&text);
                last = text;
            }
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
}
