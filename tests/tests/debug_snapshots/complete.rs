//! Every public type is either shown word for word in these tests, or listed here as holding nothing to hide. A new one
//! is neither, until somebody has decided.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Whose types are looked at.
const CRATES: [&str; 6] =
    ["crates/proto", "crates/client", "crates/authenticator", "crates/tunnel", "crates/ble", "tunnel-server"];

/// What holds no secret, payload or identifier: errors, choices, numbers, names of things, and the wiring.
const PLAIN: &[&str] = &[
    // hybridge-proto
    "AttemptError",
    "AuthenticatorError",
    "AuthenticatorTiming",
    "CallId",
    "CborError",
    "CborProblem",
    "ChannelId",
    "Channels",
    "ClientConfig",
    "ClientError",
    "ClientTiming",
    "CloseCode",
    "ContactIdLength",
    "DialFailure",
    "DigitalError",
    "DigitsError",
    "DomainId",
    "EnvelopeError",
    "Features",
    "FoundBy",
    "FrameError",
    "Framing",
    "HandshakeError",
    "Hint",
    "IdError",
    "KeyError",
    "LinkError",
    "MessageError",
    "MessageKind",
    "PathError",
    "PayloadError",
    "PostHandshakeError",
    "Psm",
    "QrError",
    "ReplyError",
    "RequestError",
    "RequestType",
    "Revision",
    "RoutingIdError",
    "SightingId",
    "StartError",
    "UnassignedDomain",
    // hybridge-client, hybridge-authenticator
    "Attestation",
    "CeremonyError",
    "ExclusionGuard",
    "Operation",
    "OptionsError",
    "OriginError",
    "PhoneError",
    "ReplyProblem",
    "Status",
    // hybridge-tunnel
    "CertificateFault",
    "ChannelError",
    "ConnectError",
    "ConnectFn",
    "Look",
    "NotLoopback",
    "NotTunnelService",
    "RedirectRefused",
    "Rerouted",
    "RootError",
    "TcpConnect",
    // hybridge-ble
    "Action",
    "Adapter",
    "AdapterReport",
    "AddressKind",
    "AirOptions",
    "Arrival",
    "Bounds",
    "Check",
    "ConnectionId",
    "DeviceAddress",
    "InspectError",
    "LossReason",
    "NotAProbability",
    "Outcome",
    "PayloadLimit",
    "PowerError",
    "Probability",
    "Problem",
    "RadioError",
    "RangeGroup",
    "ServiceUuid",
    "SimListening",
    "SimSocket",
    "SystemAdvert",
    "SystemListening",
    "SystemRadio",
    "SystemScan",
    "SystemScanner",
    "SystemSocket",
    "TraceEvent",
    "TraceKind",
    "TraceStream",
    // hybridge-relay
    "Access",
    "AcmeConfig",
    "Config",
    "Denied",
    "Door",
    "FileError",
    "ForwardedHeader",
    "Front",
    "Garbled",
    "Joined",
    "Limits",
    "NoSuchTunnel",
    "NotHere",
    "OpenError",
    "Origin",
    "Prefix",
    "ProxyProtocolError",
    "Refusal",
    "Reframed",
    "Reframer",
    "Serving",
    "TlsConfig",
    "TlsError",
    "TooFast",
    "TooManyConnections",
    "Validity",
    "Violation",
];

#[test]
fn every_public_type_is_shown_or_known_to_be_plain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let types: BTreeSet<String> =
        CRATES.iter().flat_map(|name| types_below(&root.join(name).join("src"))).collect();
    assert!(types.len() > 100 && types.contains("QrSecret") && types.contains("TunnelId"), "{types:?}");
    let shown: String = ["main.rs", "protocol.rs", "drivers.rs", "services.rs"]
        .map(|file| fs::read_to_string(root.join("tests/tests/debug_snapshots").join(file)).unwrap())
        .concat();
    let words: BTreeSet<&str> = shown.split(|letter: char| !letter.is_alphanumeric()).collect();
    let undecided: Vec<_> = types
        .iter()
        .filter(|name| !PLAIN.contains(&name.as_str()) && !words.contains(name.as_str()))
        .collect();
    assert!(undecided.is_empty(), "show what Debug makes of {undecided:?}, or list it as plain");
    let gone: Vec<_> = PLAIN.iter().filter(|name| !types.contains(**name)).collect();
    assert!(gone.is_empty(), "{gone:?} are no longer there");
}

/// The names of all public structs and enums in the files below a folder.
fn types_below(folder: &Path) -> Vec<String> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries
        .into_iter()
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => types_below(&path),
            Some(extension) if extension == "rs" => types_in(&fs::read_to_string(path).unwrap()),
            _ => Vec::new(),
        })
        .collect()
}

/// Types that are written out, and those that the macros for secrets and identifiers make.
fn types_in(source: &str) -> Vec<String> {
    let mut types = Vec::new();
    let mut in_macro = false;
    for line in source.lines().map(str::trim_start) {
        let written = line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum "));
        match written {
            Some(name) if !name.starts_with('$') => types.push(name),
            _ if line.starts_with("secret_bytes!(") || line.starts_with("public_id!(") => in_macro = true,
            _ if in_macro && !line.starts_with("///") => {
                types.push(line);
                in_macro = false;
            }
            _ => {}
        }
    }
    let name = |line: &str| line.split(|letter: char| !letter.is_alphanumeric()).next().map(str::to_owned);
    types.into_iter().filter_map(name).collect()
}
