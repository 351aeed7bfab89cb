//! TLS and the PROXY protocol in front of the service, on real loopback sockets.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use futures_util::SinkExt;
use hybridge_relay::{Front, Serving, TlsConfig, TlsError};
use rustls::ProtocolVersion;
use support::{
    authority::{Authority, HOST, Issued},
    *,
};
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::client::TlsStream;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

async fn serve(front: Front) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    service().serve_with(listener, front).unwrap()
}

fn tls(issued: &Issued) -> TlsConfig {
    TlsConfig::from_pem_files(&issued.certificate, &issued.key).unwrap()
}

async fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.local_addr()).await.unwrap()
}

/// A header of version 2 for an IPv4 peer.
fn header() -> Vec<u8> {
    [SIGNATURE, &[0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 0xD4, 0x31, 1, 0xBB]].concat()
}

/// The name in the certificate that a handshake shows.
async fn certificate_name(authority: &Authority, serving: &Serving) -> String {
    let stream = authority.secure(connect(serving).await).await.unwrap();
    let certificate = &stream.get_ref().1.peer_certificates().unwrap().first().unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).unwrap();
    parsed.subject().to_string()
}

async fn tls_pair(
    authority: &Authority,
    address: SocketAddr,
) -> (Socket<TlsStream<TcpStream>>, Socket<TlsStream<TcpStream>>) {
    let connect = || async { authority.secure(TcpStream::connect(address).await.unwrap()).await.unwrap() };
    let (phone, response) = websocket(connect().await, &new_path()).await.unwrap();
    let (client, _) = websocket(connect().await, &connect_path(routing_of(&response))).await.unwrap();
    (phone, client)
}

#[tokio::test]
async fn a_tunnel_works_over_tls() {
    let authority = Authority::new();
    let serving = serve(Front::plain().tls(tls(&authority.issue("one")))).await;
    let (mut phone, mut client) = tls_pair(&authority, serving.local_addr()).await;
    client.send(binary("question")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("question"));
    phone.send(binary(vec![7; 1 << 20])).await.unwrap();
    assert!(next(&mut client).await == binary(vec![7; 1 << 20]));
    phone.close(None).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1000);
}

#[tokio::test]
async fn both_versions_speak_http_1_1_and_issue_no_tickets() {
    let authority = Authority::new();
    let serving = serve(Front::plain().tls(tls(&authority.issue("one")))).await;
    for (offered, version) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let connector = authority.connector(&[offered]);
        let name = HOST.try_into().unwrap();
        let stream = connector.connect(name, connect(&serving).await).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let (socket, _) = websocket(stream, &new_path()).await.unwrap();
        assert_eq!(socket.get_ref().get_ref().1.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn a_reload_changes_the_next_handshake_and_no_tunnel() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let tls = tls(&files);
    let serving = serve(Front::plain().tls(tls.clone())).await;
    let (mut phone, mut client) = tls_pair(&authority, serving.local_addr()).await;
    assert_eq!(certificate_name(&authority, &serving).await, "CN=one");

    let fresh =
        authority.issue_with("two", HOST, |params| params.not_after = rcgen::date_time_ymd(2100, 1, 1));
    fs::copy(fresh.certificate, &files.certificate).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
    assert_eq!(certificate_name(&authority, &serving).await, "CN=one");

    fs::copy(fresh.key, &files.key).unwrap();
    tls.reload().unwrap();
    assert_eq!(certificate_name(&authority, &serving).await, "CN=two");
    let until = tls.validity().unwrap().until.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(until, Duration::from_secs(4_102_444_800));

    client.send(binary("still here")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("still here"));
}

#[tokio::test]
async fn what_is_wrong_with_the_files_is_said() {
    let authority = Authority::new();
    let (one, two) = (authority.issue("one"), authority.issue("two"));
    let load = |certificate: &Path, key: &Path| {
        TlsConfig::from_pem_files(certificate, key).map(|_| ()).unwrap_err().to_string()
    };
    let text = authority.write("text", "no certificate", "no key");
    let broken = authority.write(
        "broken",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let missing = authority.directory().join("missing.pem");
    for (certificate, key, file, reason) in [
        (&missing, &one.key, "missing.pem", "cannot read"),
        (&one.certificate, &missing, "missing.pem", "cannot read"),
        (&text.certificate, &one.key, "text.crt", "no readable certificate"),
        (&one.certificate, &text.key, "text.key", "no readable private key"),
        (&broken.certificate, &one.key, "broken.crt", "X.509"),
        (&one.certificate, &broken.key, "broken.key", "cannot be used for TLS"),
        (&one.certificate, &two.key, "two.key", "is not the key of the first certificate"),
    ] {
        let said = load(certificate, key);
        assert!(said.contains(file) && said.contains(reason), "{said}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_out_of_date_is_taken() {
    let authority = Authority::new();
    let old = authority.issue_with("old", HOST, |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    let validity = tls(&old).validity().unwrap();
    assert!(validity.excludes(std::time::SystemTime::now()) && !validity.excludes(validity.until));
}

#[tokio::test]
async fn plain_http_on_a_tls_port_ends_at_once() {
    let authority = Authority::new();
    let serving = serve(Front::plain().tls(tls(&authority.issue("one")))).await;
    let mut io = connect(&serving).await;
    io.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = io.read_to_end(&mut answer).await;
    // A TLS alert at most.
    assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_stays_silent_before_the_request_is_closed() {
    let authority = Authority::new();
    let tls = tls(&authority.issue("one"));
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let fronts = [(Front::plain().tls(tls), b"\x16"), (Front::plain().proxy_protocol(trusted), b"\r")];
    for (front, first) in fronts {
        let serving = serve(front).await;
        let mut io = connect(&serving).await;
        io.write_all(first).await.unwrap();
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty());
    }
}

#[tokio::test]
async fn a_trusted_proxy_speaks_for_others_with_and_without_tls() {
    let authority = Authority::new();
    let tls = tls(&authority.issue("one"));
    let trusted = || vec!["127.0.0.0/8".parse().unwrap()];

    let serving = serve(Front::plain().proxy_protocol(trusted())).await;
    let mut io = connect(&serving).await;
    io.write_all(&header()).await.unwrap();
    websocket(io, &new_path()).await.unwrap();

    let serving = serve(Front::plain().tls(tls).proxy_protocol(trusted())).await;
    let mut io = connect(&serving).await;
    io.write_all(&header()).await.unwrap();
    websocket(authority.secure(io).await.unwrap(), &new_path()).await.unwrap();
}

#[tokio::test]
async fn a_proxy_may_ask_for_itself() {
    let serving = serve(Front::plain().proxy_protocol(vec!["127.0.0.0/8".parse().unwrap()])).await;
    let mut io = connect(&serving).await;
    io.write_all(&[SIGNATURE, &[0x20, 0, 0, 0]].concat()).await.unwrap();
    websocket(io, &new_path()).await.unwrap();
}

#[tokio::test]
async fn a_trusted_proxy_without_a_header_of_version_2_is_closed() {
    let serving = serve(Front::plain().proxy_protocol(vec!["127.0.0.0/8".parse().unwrap()])).await;
    let request = format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", new_path());
    for first in ["", "PROXY TCP4 192.0.2.7 198.51.100.1 54321 443\r\n"] {
        assert_eq!(answer(&serving, format!("{first}{request}").as_bytes()).await, "");
    }
}

#[tokio::test]
async fn a_header_from_a_stranger_is_a_broken_request() {
    let serving = serve(Front::plain().proxy_protocol(vec!["192.0.2.0/24".parse().unwrap()])).await;
    let request = format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", new_path());
    let with_header = [&header()[..], request.as_bytes()].concat();
    assert_eq!(status(&answer(&serving, &with_header).await), 400);
    websocket(connect(&serving).await, &new_path()).await.unwrap();
}

/// All that comes back; nothing where the connection is reset.
async fn answer(serving: &Serving, request: &[u8]) -> String {
    let mut io = connect(serving).await;
    io.write_all(request).await.unwrap();
    let mut answer = String::new();
    match io.read_to_string(&mut answer).await {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => answer,
    }
}
