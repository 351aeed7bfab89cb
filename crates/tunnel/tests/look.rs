//! Looking at a tunnel service: any answer will do, no tunnel comes of it, and what is wrong with a certificate is told.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use hybridge_proto::ids::RoutingId;
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{CertificateFault, DialError, Dialer, Look, WebSocketDialer, connect_fn};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use support::*;
use tokio::io::duplex;
use tokio_rustls::TlsAcceptor;

const ROUTING: RoutingId = RoutingId::from_bytes([0; 3]);

#[tokio::test]
async fn a_refusal_is_an_answer_and_its_date_is_told() {
    let answer = "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
    let (dialer, heads) = scripted(&[answer], false);
    let Look { status, date, .. } = dialer.look(&connect(ROUTING)).await.unwrap();
    assert_eq!((status, date.as_deref()), (404, Some("Sun, 06 Nov 1994 08:49:37 GMT")));
    assert!(heads.lock().unwrap()[0].starts_with("GET /cable/connect/000000/"));
}

#[tokio::test]
async fn no_tunnel_comes_of_it() {
    let dialer = service();
    assert_eq!(dialer.look(&connect(ROUTING)).await.unwrap().status, 404);
    assert!(matches!(dialer.dial(&connect(ROUTING)).await, Err(DialError::Refused { status: 404, .. })));
}

#[tokio::test]
async fn redirects_and_repeated_dates_are_taken_as_they_are() {
    let answer = "HTTP/1.1 302 Found\r\nLocation: https://other.example.com/\r\nDate: a\r\nDate: b\r\n\r\n";
    let (dialer, heads) = scripted(&[answer], false);
    let look = dialer.look(&connect(ROUTING)).await.unwrap();
    assert_eq!((look.status, look.date), (302, None));
    assert_eq!(heads.lock().unwrap().len(), 1, "not followed");
}

#[tokio::test]
async fn what_answers_otherwise_or_not_at_all_is_an_error() {
    let (dialer, _) = scripted(&["SSH-2.0-OpenSSH\r\n\r\n"], false);
    assert!(matches!(dialer.look(&connect(ROUTING)).await, Err(DialError::NotTunnelService(_))));
    let (dialer, _) = scripted(&[""], true);
    let dialer = dialer.with_timeout(Duration::from_millis(300));
    assert!(matches!(dialer.look(&connect(ROUTING)).await, Err(DialError::TimedOut { .. })));
}

/// What is wrong with a certificate that is valid in these years for this host; `trusted` by the dialer or not.
async fn fault(years: (i32, i32), host: &str, trusted: bool) -> Option<CertificateFault> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(config.unwrap()));
    let connector = connect_fn(move |_, _| {
        let (ours, theirs) = duplex(16 * 1024);
        let (acceptor, service) = (acceptor.clone(), Service::new(Config::default()).unwrap());
        tokio::spawn(async move {
            if let Ok(io) = acceptor.accept(theirs).await {
                service.serve_stream(io).await;
            }
        });
        async { Ok(ours) }
    });
    let mut dialer = WebSocketDialer::new().with_connector(connector);
    if trusted {
        dialer = dialer.with_extra_roots_pem(certificate.pem().as_bytes()).unwrap();
    }
    dialer.look(&connect(ROUTING)).await.err().and_then(|error| error.certificate_fault())
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    assert_eq!(fault((2000, 4000), HOST, true).await, None);
    assert_eq!(fault((2000, 2001), HOST, true).await, Some(CertificateFault::Expired));
    assert_eq!(fault((3999, 4000), HOST, true).await, Some(CertificateFault::NotYetValid));
    assert_eq!(fault((2000, 4000), "a.example", true).await, Some(CertificateFault::OtherHost));
    assert_eq!(fault((2000, 4000), HOST, false).await, Some(CertificateFault::UnknownIssuer));
}
