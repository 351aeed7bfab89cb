//! Certificates from an ACME authority, over the service's own port.
#![cfg(feature = "acme")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{fs, path::Path, sync::atomic::Ordering, time::Duration};

use hybridge_relay::{AcmeConfig, Front, Serving, TlsConfig};
use support::{acme::AcmeServer, *};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

async fn serve(server: &AcmeServer, cache: &Path) -> (Serving, TlsConfig) {
    let mut config = AcmeConfig::new([authority::HOST], cache);
    config.directory = server.url("directory");
    config.contact = vec!["operator@example.com".to_owned()];
    config.root = Some(server.authority.root_pem());
    let tls = TlsConfig::from_acme(&config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = service().serve_with(listener, Front::plain().tls(tls.clone())).unwrap();
    (serving, tls)
}

/// Opens a tunnel as soon as the service has a certificate.
async fn open_when_ready(server: &AcmeServer, serving: &Serving) {
    for _ in 0..300 {
        let stream = TcpStream::connect(serving.local_addr()).await.unwrap();
        if let Ok(stream) = server.authority.secure(stream).await {
            websocket(stream, &new_path()).await.unwrap();
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("there is no certificate");
}

#[tokio::test]
async fn a_certificate_is_proved_fetched_used_and_kept() {
    let server = AcmeServer::start().await;
    let cache = server.authority.directory().join("state/acme");
    let (serving, tls) = serve(&server, &cache).await;
    assert_eq!(tls.validity(), None);
    server.service.set(serving.local_addr()).unwrap();
    open_when_ready(&server, &serving).await;
    assert!(tls.validity().is_some());
    assert_eq!(server.orders.load(Ordering::SeqCst), 1);
    kept_for_their_owner(&cache).await;
    serving.stop().await;
    drop(tls);

    // After a restart, the certificate is there without the authority.
    let (serving, _tls) = serve(&server, &cache).await;
    open_when_ready(&server, &serving).await;
    assert_eq!(server.orders.load(Ordering::SeqCst), 1);
}

/// Waits until both files are there, which may be a moment after the certificate is in use.
#[cfg(unix)]
async fn kept_for_their_owner(cache: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(cache), 0o700);
    for _ in 0..100 {
        let files: Vec<_> = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect();
        let named =
            |kind| files.iter().any(|path| path.file_name().unwrap().to_str().unwrap().starts_with(kind));
        if files.len() == 2 && named("account-") && named("certificate-") {
            assert!(files.iter().all(|path| path.extension().is_none() && mode(path) == 0o600));
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the cache is not written");
}

#[cfg(not(unix))]
async fn kept_for_their_owner(cache: &Path) {
    assert!(fs::read_dir(cache).unwrap().next().is_some());
    sleep(Duration::ZERO).await;
}
