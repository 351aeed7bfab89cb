use std::os::unix::net::UnixStream;

use zbus::{Guid, connection::Builder, interface, names::BusName};

use super::*;
use crate::draw::Picture;

/// A desktop that answers before it says what it answers to, and answers somebody else first.
struct Desktop {
    response: u32,
    uri: Option<String>,
}

#[interface(name = "org.freedesktop.portal.Screenshot")]
impl Desktop {
    async fn screenshot(
        &self,
        _parent_window: &str,
        options: HashMap<String, OwnedVariant>,
        #[zbus(connection)] bus: &Connection,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        assert_eq!(bool::try_from(&options["interactive"]), Ok(false));
        let results = |uri: &Option<String>| {
            uri.iter().map(|uri| ("uri", Variant::from(uri.clone()))).collect::<HashMap<_, _>>()
        };
        for (path, response, uri) in [
            ("/org/freedesktop/portal/desktop/request/1_9/other", 0, Some("file:///nonexistent".to_owned())),
            ("/org/freedesktop/portal/desktop/request/1_7/mine", self.response, self.uri.clone()),
        ] {
            let body = (response, results(&uri));
            bus.emit_signal(None::<BusName<'_>>, path, REQUEST, "Response", &body).await?;
        }
        Ok(OwnedObjectPath::try_from("/org/freedesktop/portal/desktop/request/1_7/mine").unwrap())
    }
}

/// The desktop's end of the bus, and a screen on the other.
async fn desktop(response: u32, uri: Option<String>) -> (Connection, PortalScreen) {
    at(OBJECT, Desktop { response, uri }).await
}

async fn at(path: &str, desktop: Desktop) -> (Connection, PortalScreen) {
    let (theirs, ours) = UnixStream::pair().unwrap();
    let server = Builder::unix_stream(theirs).server(Guid::generate()).p2p();
    let server = server.serve_at(path, desktop).build();
    let (server, client) = tokio::join!(server, Builder::unix_stream(ours).p2p().build());
    (server.unwrap(), PortalScreen::on(client.unwrap()))
}

#[tokio::test]
async fn a_screenshot_is_read_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Screenshot from today.png");
    fs::write(&file, Picture::draw("FIDO:/123").unwrap().to_png().unwrap()).unwrap();
    let uri = Url::from_file_path(&file).unwrap().to_string();
    assert!(uri.contains("%20"));
    let (_desktop, screen) = desktop(0, Some(uri)).await;
    assert_eq!(*crate::from_pixels(screen.capture().await.unwrap()).unwrap(), "FIDO:/123");
    assert!(!file.exists());
    assert!(matches!(screen.capture().await, Err(ScreenError::File(..))));
}

#[tokio::test]
async fn refusals_and_nonsense_are_told_apart() {
    let (_desktop, screen) = desktop(1, None).await;
    assert!(matches!(screen.capture().await, Err(ScreenError::Denied)));
    for uri in [None, Some("https://example.com/a.png".to_owned()), Some("file".to_owned())] {
        let (_desktop, screen) = desktop(0, uri).await;
        assert!(matches!(screen.capture().await, Err(ScreenError::NotAFile)));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.png");
    fs::write(&file, b"no picture").unwrap();
    let (_desktop, screen) = desktop(0, Some(Url::from_file_path(&file).unwrap().to_string())).await;
    assert!(matches!(screen.capture().await, Err(ScreenError::NotPng(_))));
}

#[tokio::test]
async fn a_desktop_without_a_portal_is_told() {
    let (_desktop, screen) = at("/elsewhere", Desktop { response: 0, uri: None }).await;
    assert!(matches!(screen.capture().await, Err(ScreenError::Portal(_))));
}
