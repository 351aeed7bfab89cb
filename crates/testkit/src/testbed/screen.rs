//! The phone's camera, pointed at a screen.

use std::{io, process::Stdio, sync::Arc, time::Duration};

use hybridge_picture::{GrayImage, from_pixels, screen::X11Screen};
use hybridge_proto::qr::QrCode;
use tokio::{io::AsyncWriteExt, process::Command, task::spawn_blocking, time::sleep};
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

/// Reads a code with the zbarimg program where it is installed. Browsers draw codes of dots with a picture in the middle,
/// which it reads every time, and the reader of this workspace some of the time.
async fn read(picture: GrayImage) -> Option<Zeroizing<String>> {
    match zbarimg(&picture).await {
        Ok(text) => text,
        Err(_) => spawn_blocking(move || from_pixels(picture)).await.ok()?.ok(),
    }
}

async fn zbarimg(picture: &GrayImage) -> io::Result<Option<Zeroizing<String>>> {
    let mut child = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "pgm:-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let head = format!("P5\n{} {}\n255\n", picture.width(), picture.height());
    if let Some(mut input) = child.stdin.take() {
        input.write_all(head.as_bytes()).await?;
        input.write_all(picture.as_raw()).await?;
    }
    let output = Zeroizing::new(child.wait_with_output().await?.stdout);
    let lines = output.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let mut codes = lines.filter(|line| line.starts_with("FIDO:/"));
    Ok(codes.next().map(|code| Zeroizing::new(code.to_owned())))
}
