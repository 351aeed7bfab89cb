//! The phone's camera, pointed at a screen.

use std::{sync::Arc, time::Duration};

use hybridge_picture::{GrayImage, from_pixels, screen::X11Screen};
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
        match X11Screen::open(Some(&name)) {
            Ok(screen) => watch_screen(screen, &phone, &mut last).await,
            Err(error) if !complained => {
                tracing::warn!(%name, %error, "no screen to watch yet");
                complained = true;
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// Watches until the display is gone.
async fn watch_screen(screen: X11Screen, phone: &ScriptedPhone, last: &mut Zeroizing<String>) {
    while let Ok(picture) = screen.capture().await {
        if let Some(text) = read(picture).await
            && *text != **last
            && QrCode::parse(&text).is_ok()
        {
            tracing::info!("the phone scans a code off the screen");
            phone.scan(&text);
            *last = text;
        }
        sleep(PAUSE).await;
    }
}

/// Reads a code. Looking for one in millions of pixels takes its time.
async fn read(picture: GrayImage) -> Option<Zeroizing<String>> {
    spawn_blocking(move || from_pixels(picture)).await.ok()?.ok()
}
