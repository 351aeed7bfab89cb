//! `hybridge-relay check` against good deployments and against broken ones: it has to name the cause and the fix.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{fs, net::SocketAddr, process::Output};

use hybridge_relay::{
    Front, TlsConfig,
    access::{Access, Tokens},
};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use support::{
    authority::{Authority, HOST, Issued},
    proxy::{self, Fault},
    *,
};
use tokio::{net::TcpListener, process::Command};

/// An access token; nothing but letters and digits, and long.
const TOKEN: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

async fn run(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_hybridge-relay");
    Command::new(program).arg("check").args(args).output().await.unwrap()
}

/// The cause that the check gives, which has to be a broken step with a fix.
async fn cause(args: &[&str]) -> String {
    let output = run(&[args, &["--json"]].concat()).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["works"], false);
    let last = report["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["result"], "broken", "{last}");
    assert!(last["fix"].as_str().unwrap().len() > 20, "{last}");
    last["cause"].as_str().unwrap().to_owned()
}

fn plain(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The cause behind a proxy with a fault.
async fn fault(fault: Fault) -> String {
    let url = plain(proxy::start(fault, None).await);
    cause(&["--url", &url, "--timeout", "4", "--idle", "3"]).await
}

/// The cause that a certificate gives, to a check that trusts `authority`.
async fn certificate(authority: &Authority, issued: &Issued) -> String {
    let address = proxy::start(Fault::Nothing, Some(issued)).await.to_string();
    let root = authority.root_pem();
    let url = format!("https://{HOST}");
    cause(&["--url", &url, "--connect-to", &address, "--ca", root.to_str().unwrap()]).await
}

/// Every step of a check that works.
fn steps(output: &Output) -> Vec<(String, String)> {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(&step["step"]), text(&step["result"])))
        .collect()
}

const STEPS: [&str; 12] = [
    "name",
    "tcp",
    "tls",
    "open",
    "join",
    "early message",
    "messages",
    "latency",
    "idle",
    "close",
    "routing",
    "lower case",
];

#[tokio::test]
async fn a_good_service_in_the_clear() {
    let serving = service().serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let url = plain(serving.local_addr());
    let steps = steps(&run(&["--url", &url, "--idle", "0", "--json"]).await);
    let names: Vec<_> = steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [&STEPS[..], &["wrong path"]].concat());
    assert!(steps.iter().all(|(_, result)| result == "ok"), "{steps:?}");

    let output = run(&["--url", &url, "--idle", "0"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), steps.len() + 1, "{text}");
    assert!(text.ends_with("the service works\n"), "{text}");
}

#[tokio::test]
async fn a_good_service_with_tls() {
    let authority = Authority::new();
    let issued = authority.issue("one");
    let tls = TlsConfig::from_pem_files(&issued.certificate, &issued.key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = service().serve_with(listener, Front::plain().tls(tls)).unwrap();
    let (address, root) = (serving.local_addr().to_string(), authority.root_pem());
    let url = format!("https://{HOST}");
    let args =
        ["--url", &url, "--connect-to", &address, "--ca", root.to_str().unwrap(), "--idle", "0", "--json"];
    assert_eq!(steps(&run(&args).await).len(), STEPS.len() + 1);
}

#[tokio::test]
async fn a_good_proxy_is_no_cause() {
    let url = plain(proxy::start(Fault::Nothing, None).await);
    assert_eq!(steps(&run(&["--url", &url, "--idle", "1", "--json"]).await).len(), STEPS.len() + 1);
}

#[tokio::test]
async fn the_subprotocol_is_not_echoed() {
    assert_eq!(
        fault(Fault::Answer("Sec-WebSocket-Protocol: fido.cable\r\n", "")).await,
        "subprotocol-not-echoed"
    );
}

#[tokio::test]
async fn the_subprotocol_does_not_reach_the_service() {
    assert_eq!(
        fault(Fault::Request("Sec-WebSocket-Protocol: fido.cable\r\n", "")).await,
        "subprotocol-dropped"
    );
}

#[tokio::test]
async fn a_proxy_collects_bytes() {
    assert_eq!(fault(Fault::Collects(64 * 1024)).await, "buffering");
}

#[tokio::test]
async fn a_proxy_waits_for_a_complete_answer() {
    assert_eq!(fault(Fault::Silent).await, "no-answer");
}

#[tokio::test]
async fn the_certificate_is_for_another_name() {
    let authority = Authority::new();
    let issued = authority.issue_with("other", "other.example.com", |_| {});
    assert_eq!(certificate(&authority, &issued).await, "certificate-name");
}

#[tokio::test]
async fn the_certificate_is_signed_by_itself() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let issued = authority.write("self", &params.self_signed(&key).unwrap().pem(), &key.serialize_pem());
    assert_eq!(certificate(&authority, &issued).await, "certificate-self-signed");
}

#[tokio::test]
async fn the_certificate_is_from_a_stranger() {
    let stranger = Authority::named("Stranger");
    assert_eq!(certificate(&Authority::new(), &stranger.issue("one")).await, "certificate-issuer");
}

#[tokio::test]
async fn the_certificate_comes_alone() {
    let stranger = Authority::named("Stranger");
    let issued = stranger.issue("one");
    let chain = fs::read_to_string(&issued.certificate).unwrap();
    let end = "-----END CERTIFICATE-----";
    let alone = chain.split_inclusive(end).next().unwrap();
    fs::write(&issued.certificate, alone).unwrap();
    assert_eq!(certificate(&Authority::new(), &issued).await, "certificate-chain");
}

#[tokio::test]
async fn the_certificate_is_out_of_date() {
    let authority = Authority::new();
    let old = authority.issue_with("old", HOST, |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    assert_eq!(certificate(&authority, &old).await, "certificate-expired");
    let new = authority.issue_with("new", HOST, |params| {
        params.not_before = rcgen::date_time_ymd(2900, 1, 1);
        params.not_after = rcgen::date_time_ymd(3000, 1, 1);
    });
    assert_eq!(certificate(&authority, &new).await, "certificate-not-yet-valid");
}

#[tokio::test]
async fn the_path_is_blocked() {
    let page = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    assert_eq!(fault(Fault::Answers(page)).await, "path-blocked");
}

#[tokio::test]
async fn the_path_is_rewritten() {
    assert_eq!(fault(Fault::Request("/cable/", "/tunnels/cable/")).await, "path-rewritten");
}

#[tokio::test]
async fn the_upgrade_header_is_dropped() {
    assert_eq!(fault(Fault::Request("Upgrade: websocket\r\n", "")).await, "upgrade-dropped");
    assert_eq!(fault(Fault::Request(" HTTP/1.1\r\n", " HTTP/1.0\r\n")).await, "upgrade-dropped");
}

#[tokio::test]
async fn joining_reaches_another_machine() {
    assert_eq!(fault(Fault::OtherMachine).await, "wrong-routing");
}

#[tokio::test]
async fn joining_works_in_one_case_only() {
    assert_eq!(fault(Fault::OnlyCase(|ids| ids.to_uppercase())).await, "case-matters");
}

#[tokio::test]
async fn the_routing_id_is_stripped_or_changed() {
    assert_eq!(fault(Fault::Answer("X-caBLE-Routing-ID", "X-Removed")).await, "routing-id-missing");
    assert_eq!(
        fault(Fault::Answer("X-caBLE-Routing-ID: ", "X-caBLE-Routing-ID: 0")).await,
        "routing-id-wrong"
    );
}

#[tokio::test]
async fn the_answer_is_not_for_the_request() {
    assert_eq!(
        fault(Fault::Answer("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: A")).await,
        "handshake-wrong"
    );
}

#[tokio::test]
async fn an_extension_is_added() {
    let with = "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    assert_eq!(fault(Fault::Answer("Upgrade: websocket\r\n", with)).await, "extension-added");
}

#[tokio::test]
async fn tls_and_plain_text_are_mixed_up() {
    let address = proxy::start(Fault::Nothing, None).await;
    let authority = Authority::new();
    let (url, root) = (format!("https://{address}"), authority.root_pem());
    assert_eq!(
        cause(&["--url", &url, "--ca", root.to_str().unwrap(), "--timeout", "2"]).await,
        "plain-on-tls-port"
    );

    let issued = authority.issue("one");
    let tls = TlsConfig::from_pem_files(&issued.certificate, &issued.key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = service().serve_with(listener, Front::plain().tls(tls)).unwrap();
    assert_eq!(cause(&["--url", &plain(serving.local_addr())]).await, "tls-on-plain-port");
}

#[tokio::test]
async fn the_request_is_redirected() {
    let answer = "HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(fault(Fault::Answers(answer)).await, "redirect");
}

#[tokio::test]
async fn larger_messages_end_the_tunnel() {
    assert_eq!(fault(Fault::SmallMessages).await, "size-limit");
}

#[tokio::test]
async fn quiet_tunnels_are_ended() {
    // All messages of the check, and the answer to the last ping.
    assert_eq!(fault(Fault::Impatient(200 * 1024)).await, "idle-timeout");
}

#[tokio::test]
async fn close_codes_and_pings_are_swallowed() {
    assert_eq!(fault(Fault::SwallowsClose).await, "close-code-lost");
    assert_eq!(fault(Fault::SwallowsPings).await, "ping-unanswered");
}

#[tokio::test]
async fn messages_are_changed() {
    assert_eq!(fault(Fault::Scribbles).await, "message-changed");
}

#[tokio::test]
async fn a_token_is_needed_or_refused_or_good() {
    let tokens = Tokens::parse(&format!("{TOKEN}\n")).unwrap();
    let service = with_config(|config| config.access = Access::Bearer(tokens));
    let serving = service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let url = plain(serving.local_addr());
    assert_eq!(cause(&["--url", &url]).await, "token-needed");
    let wrong = TOKEN.replace('x', "y");
    assert_eq!(cause(&["--url", &url, "--token", &wrong]).await, "token-refused");

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
    let args = ["--url", &url, "--token-file", file.path().to_str().unwrap(), "--idle", "0", "--json"];
    assert_eq!(steps(&run(&args).await).len(), STEPS.len() + 1);
}

#[tokio::test]
async fn the_proxy_finds_no_service() {
    for (answer, name) in [
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "bad-gateway"),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "unavailable"),
        ("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", "too-many-requests"),
    ] {
        assert_eq!(fault(Fault::Answers(answer)).await, name);
    }
    assert_eq!(fault(Fault::HangsUp).await, "closed-without-answer");
}

#[tokio::test]
async fn nothing_listens_or_has_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = plain(listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(cause(&["--url", &url]).await, "unreachable");
    assert_eq!(cause(&["--url", "https://cable.invalid", "--timeout", "2"]).await, "name-not-found");
}

#[tokio::test]
async fn wrong_usage_is_2_and_says_why() {
    for (args, said) in [
        (&["--url", "cable.example.com"][..], "not of the form"),
        (&["--url", "http://cable.example.com"], "--insecure-plain"),
        (&["--url", "https://a", "--connect-to", "b"], "HOST:PORT"),
        (&["--url", "https://a", "--ca", "/nonexistent"], "--ca cannot be read"),
        (&["--url", "http://127.0.0.1", "--token", "a b"], "token"),
        (&["--url", "http://127.0.0.1", "--token-file", "/nonexistent"], "token file"),
    ] {
        let output = run(args).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), text.contains(said)), (Some(2), true), "{args:?}: {text}");
    }
}
