//! Every attack of the demonstration, one test each, in paused time.
//!
//! A test names the refusals that it wants, each by who refuses and the beginning of the typed error, so that an attack
//! that is stopped by somebody else, or by chance, fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::{Command, Output};

use hybridge_demo::attack::{self, Failure, Report};

async fn attempt(name: &str) -> Report {
    let real = std::time::Instant::now();
    let report = attack::attempt(name, 1).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert!(report.took + report.control < attack::LIMIT, "{name} waits for {:?}", report.took);
    assert!(real.elapsed() < attack::LIMIT, "{name} takes {:?}", real.elapsed());
    assert!(!report.did.is_empty(), "{name} does not say what it does");
    report
}

fn check(report: &Report, wanted: &[&str]) {
    let found: Vec<String> =
        report.refusals.iter().map(|refusal| format!("{}: {}", refusal.party(), refusal.kind())).collect();
    let all = found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| f.starts_with(w));
    assert!(all, "{}\nrefused: {found:#?}\nwanted: {wanted:#?}", report.name);
}

macro_rules! attacks {
    ($($test:ident $name:literal [$($refusal:literal),*])+) => {
        const TESTED: &[&str] = &[$($name),+];
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                check(&attempt($name).await, &[$($refusal),*]);
            }
        )+
    };
}

attacks! {
    relayed_code "relayed-code" ["phone: NobodyCame(NobodyCame)", "laptop: NobodyScanned"]
    relayed_code_connect "relayed-code-connect" [
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "tunnel service: Refused { status: 404",
        "phone: NobodyCame(NobodyCame)"
    ]
    relayed_code_guess "relayed-code-guess" ["phone: Handshake(Handshake(Authentication))"]
    photographed_code "photographed-code" ["website: UnknownCredential"]
    hostile_code "hostile-code" [
        "phone: Code(Prefix)",
        "phone: Code(Digits(NotADigit(2)))",
        "phone: Code(Cbor(CborError { offset: 63, problem: TrailingBytes }))",
        "phone: Code(Field(0))",
        "phone: Code(Point(NotOnCurve))"
    ]
    forged_advert "forged-advert" ["laptop: Ignored", "laptop: NobodyScanned"]
    forged_advert_wrong_key "forged-advert-wrong-key" ["laptop: Ignored", "laptop: NobodyScanned"]
    replayed_advert "replayed-advert" ["laptop: Ignored", "laptop: NobodyScanned"]
    repeated_advert "repeated-advert" [
        "laptop: Ignored",
        "laptop: Tunnel { error: Dial(Refused(404))",
        "phone: NobodyCame(NobodyCame)"
    ]
    late_advert "late-advert" ["laptop: Ignored", "laptop: NobodyScanned", "phone: NobodyCame(NobodyCame)"]
    advert_after_end "advert-after-end" ["phone: NobodyCame(NobodyCame)"]
    unassigned_service "unassigned-service" ["laptop: UnknownTunnelService(DomainId(77))"]
    advert_flood "advert-flood" ["laptop: Dial(Unreachable)"]
    forged_offer "forged-offer" ["laptop: Disconnected"]
    garbage_on_psm "garbage-on-psm" ["phone: Disconnected"]
    two_phones "two-phones" ["phone: Tunnel { error: Dial(Refused(409))"]
    stalling_phone "stalling-phone" ["phone: ClientLeft"]
    second_connect "second-connect" ["tunnel service: Refused { status: 404"]
    taken_tunnel "taken-tunnel" ["phone: Tunnel { error: Dial(Refused(409))", "laptop: NobodyScanned"]
    impostor_service "impostor-service" [
        "phone: Tunnel { error: Dial(Unreachable), source: Some(Tls",
        "laptop: Tunnel { error: Dial(Unreachable), source: Some(Tls",
        "phone: NobodyCame(NobodyCame)"
    ]
    redirect_to_plaintext "redirect-to-plaintext" [
        "phone: Tunnel { error: Dial(NotATunnelService), source: Some(RedirectRefused(NotSecure)) }",
        "laptop: Tunnel { error: Dial(NotATunnelService), source: Some(RedirectRefused(NotSecure)) }"
    ]
    gone_on_connect "gone-on-connect" [
        "laptop: Tunnel { error: Dial(Refused(410))",
        "phone: NobodyCame(NobodyCame)"
    ]
    signal_on_code "signal-on-code" ["laptop: Handshake(Handshake(Length(1)))", "phone: ClientLeft"]
    flipped_message_1 "flipped-message-1" [
        "phone: Handshake(Handshake(Authentication))",
        "laptop: Handshake(ChannelLost)"
    ]
    flipped_message_2 "flipped-message-2" [
        "laptop: Handshake(Handshake(Authentication))",
        "phone: ClientLeft"
    ]
    flipped_description "flipped-description" [
        "laptop: Protocol(Frame(Authentication))",
        "phone: ClientLeft"
    ]
    flipped_request "flipped-request" ["phone: Protocol(Frame(Authentication))", "laptop: PhoneLeft"]
    flipped_reply "flipped-reply" ["laptop: Protocol(Frame(Authentication))"]
    lost_message_1 "lost-message-1" ["laptop: Handshake(HandshakeTimeout)", "phone: NobodyCame(TunnelLost)"]
    lost_message_2 "lost-message-2" ["laptop: Handshake(Handshake(Length(", "phone: ClientLeft"]
    lost_description "lost-description" ["laptop: PhoneLeft", "phone: ClientLeft"]
    lost_request "lost-request" ["laptop: TimedOut", "phone: Protocol(Frame(Authentication))"]
    lost_reply "lost-reply" ["laptop: TimedOut"]
    repeated_message_1 "repeated-message-1" ["phone: Protocol(Frame(Authentication))", "laptop: PhoneLeft"]
    repeated_message_2 "repeated-message-2" ["laptop: Protocol(Frame(Authentication))", "phone: ClientLeft"]
    repeated_request "repeated-request" ["phone: Protocol(Frame(Authentication))"]
    reordered_handshake "reordered-handshake" ["laptop: Handshake(Handshake(Length(", "phone: ClientLeft"]
    reordered_frames "reordered-frames" ["laptop: Protocol(Frame(Authentication))", "phone: ClientLeft"]
    injected_reply "injected-reply" ["laptop: Protocol(Frame(Authentication))"]
    injected_request "injected-request" ["phone: Protocol(Frame(Authentication))", "laptop: PhoneLeft"]
    reflected_message_1 "reflected-message-1" [
        "laptop: Handshake(Handshake(Authentication))",
        "phone: NobodyCame(TunnelLost)"
    ]
    reflected_request "reflected-request" ["laptop: Protocol(Frame(Authentication))", "phone: ClientLeft"]
    swapped_tunnels "swapped-tunnels" [
        "phone: Handshake(Handshake(Authentication))",
        "phone: Handshake(Handshake(Authentication))",
        "laptop: Handshake(ChannelLost)",
        "laptop: Handshake(ChannelLost)"
    ]
    swapped_replies "swapped-replies" [
        "laptop: Protocol(Frame(Authentication))",
        "laptop: Protocol(Frame(Authentication))"
    ]
    cut_message_1 "cut-message-1" [
        "phone: Handshake(Handshake(Length(0)))",
        "phone: Handshake(Handshake(Length(1)))",
        "phone: Handshake(Handshake(Length(16)))",
        "phone: Handshake(Handshake(Length(65)))",
        "phone: Handshake(Handshake(Length(80)))",
        "phone: Handshake(Handshake(Length(82)))"
    ]
    cut_message_2 "cut-message-2" [
        "laptop: Handshake(Length(0))",
        "laptop: Handshake(Length(1))",
        "laptop: Handshake(Length(16))",
        "laptop: Handshake(Length(65))",
        "laptop: Handshake(Length(80))",
        "laptop: Handshake(Length(82))"
    ]
    short_replies "short-replies" [
        "laptop: Protocol(Frame(TooShort(0)))",
        "laptop: Protocol(Frame(TooShort(1)))",
        "laptop: Protocol(Frame(TooShort(15)))",
        "laptop: Protocol(Frame(Authentication))"
    ]
    short_requests "short-requests" [
        "phone: Protocol(Frame(TooShort(0)))",
        "phone: Protocol(Frame(TooShort(1)))",
        "phone: Protocol(Frame(TooShort(15)))",
        "phone: Protocol(Frame(Authentication))"
    ]
    oversize_reply "oversize-reply" ["laptop: Protocol(Frame(Authentication))", "laptop: PhoneLeft"]
    oversize_request "oversize-request" ["phone: Protocol(Frame(Authentication))", "phone: ClientLeft"]
    oversize_message "oversize-message" [
        "tunnel service: Closed { code: CloseCode(1009) }",
        "phone: NobodyCame(TunnelLost)"
    ]
    wrong_static_key "wrong-static-key" ["phone: Handshake(Handshake(Authentication))"]
    stolen_code "stolen-code" ["phone: Protocol(Frame(Authentication))"]
    bad_point_message_1 "bad-point-message-1" [
        "phone: Handshake(Handshake(Point(NotOnCurve)))",
        "phone: Handshake(Handshake(Point(NotOnCurve)))",
        "phone: Handshake(Handshake(Point(NotOnCurve)))",
        "phone: Handshake(Handshake(Point(Encoding)))",
        "phone: Handshake(Handshake(Point(Encoding)))",
        "phone: Handshake(Handshake(Point(Encoding)))"
    ]
    second_request "second-request" ["phone: Protocol(Unexpected(Ctap))"]
    malformed_request "malformed-request" [
        "phone: Protocol(Message(UnknownType(4)))",
        "phone: Protocol(Message(Empty))",
        "phone: Protocol(Message(EmptyCtap))",
        "phone: Protocol(Unexpected(Json))"
    ]
    bad_point_message_2 "bad-point-message-2" [
        "laptop: Handshake(Point(NotOnCurve))",
        "laptop: Handshake(Point(Encoding))",
        "laptop: Handshake(Point(Encoding))",
        "laptop: Handshake(Point(Encoding))",
        "laptop: Handshake(Point(Encoding))"
    ]
    malformed_description "malformed-description" [
        "laptop: Protocol(PostHandshake(Cbor(CborError { offset: 3, problem: KeyOrder })))",
        "laptop: Protocol(PostHandshake(Cbor(CborError { offset: 4, problem: TrailingBytes })))",
        "laptop: Protocol(PostHandshake(Cbor(CborError { offset: 0, problem: NotAMap })))",
        "laptop: Protocol(PostHandshake(MissingGetInfo))",
        "laptop: Protocol(PostHandshake(Field(1)))"
    ]
    unsolicited_reply "unsolicited-reply" ["laptop: Protocol(Unsolicited(Ctap))"]
    malformed_reply "malformed-reply" [
        "laptop: Protocol(Message(UnknownType(4)))",
        "laptop: Protocol(Message(Empty))",
        "laptop: Protocol(Message(EmptyCtap))",
        "laptop: Protocol(Unsolicited(Json))"
    ]
    cbor_bomb "cbor-bomb" [
        "laptop: Phone(NotCanonical",
        "laptop: Phone(NotCanonical",
        "laptop: Phone(NotCanonical",
        "laptop: Phone(NotCanonical",
        "laptop: Phone(NotCanonical"
    ]
    non_canonical_reply "non-canonical-reply" ["laptop: Phone(NotCanonical"]
    replayed_assertion "replayed-assertion" ["website: SignIn(AuthenticationFailure)"]
    malformed_padding "malformed-padding" [
        "laptop: Protocol(Frame(Padding))",
        "laptop: Protocol(Frame(Padding))",
        "laptop: Protocol(Frame(Padding))"
    ]
    counter_limit "counter-limit" [
        "laptop: Protocol(Frame(Authentication))",
        "laptop: Exhausted",
        "laptop: Exhausted"
    ]
    forged_link "forged-link" ["laptop: Signature"]
    replayed_link "replayed-link" ["laptop: Signature"]
    wrong_identity_key "wrong-identity-key" ["laptop: Handshake(Handshake(Authentication))"]
    false_signal "false-signal" ["laptop: NoAnswer"]
    false_gone "false-gone" ["laptop: Tunnel { error: Dial(Unreachable), source: Some(Tls"]
}

#[test]
fn every_attack_has_a_test() {
    let names: Vec<_> = attack::all().iter().map(|attack| attack.name).collect();
    assert_eq!(names, TESTED);
}

#[test]
fn names_are_stable_in_form_and_told_apart() {
    let mut names: Vec<_> = attack::all().iter().map(|attack| attack.name).collect();
    let plain = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'0'..=b'9'))
    };
    assert!(names.iter().all(plain), "{names:?}");
    assert!(!names.contains(&"list"));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), attack::all().len());
    for attack in attack::all() {
        let sentence = attack.description;
        assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{sentence}");
    }
}

#[tokio::test]
async fn an_unknown_attack_is_a_failure() {
    assert!(matches!(attack::attempt("no-such-attack", 1).await, Err(Failure::Unknown(_))));
}

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hybridge-demo")).args(args).output().unwrap()
}

#[test]
fn the_program_lists_the_names() {
    let listed = program(&["--attack", "list"]);
    assert!(listed.status.success());
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().collect::<Vec<_>>(), TESTED);
}

#[test]
fn the_program_tries_attacks_in_real_time() {
    for (name, by) in
        [("relayed-code", "phone"), ("flipped-reply", "laptop"), ("photographed-code", "website")]
    {
        let tried = program(&["--attack", name, "--json"]);
        let text = String::from_utf8(tried.stdout).unwrap();
        assert!(tried.status.success(), "{text}");
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["attack"], name);
        assert_eq!(report["refused"], true);
        assert_eq!(report["refusals"][0]["by"], by);
        assert_eq!(report["owner_signed_in"], false);
        assert!(report["took_ms"].as_u64().unwrap() < 10_000);
    }
    let told = program(&["--attack", "second-connect"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success(), "{text}");
    for part in [
        "second-connect: ",
        "by the tunnel service",
        "Refused { status: 404",
        "the owner signed in, nobody else",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_program_fails_for_an_unknown_attack() {
    for args in [&["--attack", "no-such-attack"][..], &["--attack", "no-such-attack", "--json"]] {
        let tried = program(args);
        assert_eq!(tried.status.code(), Some(1));
        assert!(String::from_utf8(tried.stdout).unwrap().contains("no-such-attack"));
    }
}
