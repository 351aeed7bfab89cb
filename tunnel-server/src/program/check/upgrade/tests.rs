use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const GOOD: [(&str, &str); 5] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ("Sec-WebSocket-Protocol", "fido.cable"),
    ("X-caBLE-Routing-ID", "0a0B0c"),
];

fn name_of(answer: &Answer) -> &'static str {
    let routed = accepted(answer, KEY, false).and_then(|()| routing_id(answer));
    routed.map_or_else(|finding| finding.cause.name, |_| "good")
}

#[test]
fn a_good_answer() {
    assert_eq!(name_of(&Answer::new(101, &GOOD, "")), "good");
}

#[test]
fn each_header_that_is_missing_or_wrong_has_its_cause() {
    let causes = [
        "handshake-wrong",
        "handshake-wrong",
        "handshake-wrong",
        "subprotocol-not-echoed",
        "routing-id-missing",
    ];
    for (index, cause) in causes.into_iter().enumerate() {
        let mut headers = GOOD.to_vec();
        headers.remove(index);
        assert_eq!(name_of(&Answer::new(101, &headers, "")), cause);
    }
    for (header, cause) in [
        (("Sec-WebSocket-Extensions", "permessage-deflate"), "extension-added"),
        (("Sec-WebSocket-Protocol", "fido.cable"), "subprotocol-not-echoed"),
        (("X-caBLE-Routing-ID", "0A0B0C"), "routing-id-wrong"),
    ] {
        assert_eq!(name_of(&Answer::new(101, &[&GOOD[..], &[header]].concat(), "")), cause);
    }
}

#[test]
fn each_refusal_has_its_cause() {
    for (status, body, cause) in [
        (200, "<html>", "upgrade-dropped"),
        (301, "", "redirect"),
        (400, "The websocket subprotocol fido.cable is missing.", "subprotocol-dropped"),
        (400, "This path wants a websocket upgrade of version 13.", "upgrade-dropped"),
        (426, "", "upgrade-dropped"),
        (401, "", "token-needed"),
        (403, "", "path-blocked"),
        (403, "Requests from this web origin are not let in here.", "origin-refused"),
        (404, "<html>", "path-blocked"),
        (404, "This is a tunnel service for passkeys. It has nothing at this path.", "path-rewritten"),
        (418, "", "not-upgraded"),
        (429, "", "too-many-requests"),
        (500, "", "service-failed"),
        (502, "", "bad-gateway"),
        (503, "", "unavailable"),
    ] {
        assert_eq!(name_of(&Answer::new(status, &[], body)), cause, "{status} {body}");
    }
    assert_eq!(refusal(&Answer::new(401, &[], ""), true).cause.name, "token-refused");
}

#[test]
fn what_is_shown_of_an_answer_is_short_and_printable() {
    let long = format!("https://{}\x1b", "a".repeat(1000));
    let shown = describe(&Answer::new(302, &[("Location", &long)], "\x1b[2Jhello"));
    assert!(shown.starts_with("status 302 to https://aaa") && shown.len() < 130 && !shown.contains('\x1b'));
}
