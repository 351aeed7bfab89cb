use clap::Parser;
use proptest::{collection::vec, prelude::*};

use super::{nodes::State, *};

const NODES: &str = r#"
[[node]]
number = 10
address = "node-10.example.com:8080"
health = "node-10.example.com:9091"
state = "draining"

[[node]]
number = 1
address = "10.0.0.1:8080"
health = "10.0.0.1:9091"

[[node]]
number = 2
address = "[2001:db8::2]:8080"
health = "[2001:db8::2]:9091"
state = "serving"

[[node]]
number = 255
address = "10.0.0.4:8080"
health = "10.0.0.4:9091"
state = "disabled"
"#;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    proxy_config: ProxyConfigArgs,
}

fn arguments(line: &str) -> Result<ProxyConfigArgs, clap::Error> {
    Program::try_parse_from(line.split(' ')).map(|program| program.proxy_config)
}

/// What is written for the given nodes file, or the text of the error.
fn written(nodes: &str, line: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nodes.toml");
    fs::write(&path, nodes).unwrap();
    let mut out = Vec::new();
    let line = format!("- {line} --nodes {}", path.display());
    run(&arguments(&line).unwrap(), &mut out).map_err(|error| {
        assert!(out.is_empty(), "nothing is written of what is wrong");
        explained(&error)
    })?;
    Ok(String::from_utf8(out).unwrap())
}

fn explained(error: &Error) -> String {
    let mut text = Vec::new();
    error.explain(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

const HAPROXY: &str = "haproxy --certificate /etc/haproxy/relay.pem";
const NGINX: &str = "nginx --certificate /etc/nginx/relay.pem --key /etc/nginx/relay.key";

#[test]
fn the_configurations_are_as_they_were_reviewed() {
    assert_eq!(written(NODES, HAPROXY).unwrap(), include_str!("golden/haproxy.cfg"));
    assert_eq!(written(NODES, NGINX).unwrap(), include_str!("golden/nginx.conf"));
}

#[test]
fn options_find_their_way_into_the_configurations() {
    let more = "--listen 192.0.2.9:8443 --tunnel-timeout 1h";
    let haproxy = written(NODES, &format!("{HAPROXY} {more}")).unwrap();
    for line in ["bind 192.0.2.9:8443 ssl crt /etc/haproxy/relay.pem alpn", "timeout tunnel 3600s\n"] {
        assert!(haproxy.contains(line), "{line}");
    }
    let nginx = written(NODES, &format!("{NGINX} {more}")).unwrap();
    for line in ["listen 192.0.2.9:8443 ssl;", "proxy_read_timeout 3600s;", "_key /etc/nginx/relay.key;"] {
        assert!(nginx.contains(line), "{line}");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for line in [
        "-",
        "- apache --nodes a",
        "- haproxy --nodes a",
        "- haproxy --certificate /a",
        "- haproxy --nodes a --certificate relative.pem",
        "- haproxy --nodes a --certificate /a;b",
        "- haproxy --nodes a --certificate /a --listen 443",
        "- haproxy --nodes a --certificate /a --tunnel-timeout 0s",
        "- haproxy --nodes a --certificate /a --tunnel-timeout 1500ms",
        "- haproxy --nodes a --certificate /a --tunnel-timeout 25h",
        "- nginx --nodes a --certificate /a",
    ] {
        assert!(arguments(line).is_err(), "{line}");
    }
}

#[test]
fn a_wrong_nodes_file_is_explained() {
    let node = |number: &str, address: &str, state: &str| {
        format!("[[node]]\nnumber = {number}\naddress = '{address}'\nhealth = '10.0.0.1:1'\n{state}\n")
    };
    let good = node("1", "10.0.0.1:8080", "");
    for (text, expected) in [
        (String::new(), "lists no node"),
        ("[[node]".to_owned(), "TOML parse error at line 1"),
        ("[[nodes]]\nnumber = 1".to_owned(), "unknown field `nodes`"),
        ("[[node]]\nnumber = 1".to_owned(), "missing field `address`"),
        (node("256", "10.0.0.2:8080", ""), "invalid value: integer `256`"),
        (node("-1", "10.0.0.2:8080", ""), "invalid value: integer `-1`"),
        (node("1", "10.0.0.2", ""), "\"10.0.0.2\" is no address; write 192.0.2.1:8080"),
        (node("1", "10.0.0.2:8080", "weight = 2"), "unknown field `weight`"),
        (node("1", "10.0.0.2:8080", "state = 'asleep'"), "unknown variant `asleep`"),
        (node("1", "10.0.0.2:8080", "state = 'draining'"), "no node is serving"),
        (format!("{good}{}", node("1", "10.0.0.2:8080", "")), "node number 1 is given twice"),
        (format!("{good}{}", node("2", "10.0.0.1:8080", "")), "nodes 1 and 2 are both at 10.0.0.1:8080"),
    ] {
        let error = written(&text, HAPROXY).unwrap_err();
        assert!(error.contains(expected) && error.contains("nodes.toml is wrong ("), "{error}");
    }
    let missing = arguments("- haproxy --certificate /a --nodes /nowhere/nodes.toml").unwrap();
    let error = explained(&run(&missing, &mut Vec::new()).unwrap_err());
    assert!(error.contains("cannot read the nodes file /nowhere/nodes.toml; give --nodes "), "{error}");
}

/// Nodes as they may stand in a file, with numbers and addresses of their own.
fn nodes() -> impl Strategy<Value = Vec<(u8, State)>> {
    let state = prop_oneof![Just(State::Serving), Just(State::Draining), Just(State::Disabled)];
    proptest::collection::btree_map(any::<u8>(), state, 1..20)
        .prop_map(|nodes| nodes.into_iter().collect::<Vec<_>>())
        .prop_filter("one serves", |nodes| nodes.iter().any(|(_, state)| *state == State::Serving))
        .prop_shuffle()
}

fn nodes_file(nodes: &[(u8, State)]) -> String {
    let node = |(number, state): &(u8, State)| {
        let state = match state {
            State::Serving => "",
            State::Draining => "state = 'draining'",
            State::Disabled => "state = 'disabled'",
        };
        format!(
            "[[node]]\nnumber = {number}\naddress = '10.0.0.{number}:80'\nhealth = 'n{number}:81'\n{state}\n"
        )
    };
    nodes.iter().map(node).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_node_gets_what_its_state_allows(nodes in nodes()) {
        let haproxy = written(&nodes_file(&nodes), HAPROXY).unwrap();
        let nginx = written(&nodes_file(&nodes), NGINX).unwrap();
        for (number, state) in nodes {
            let count = |text: &str, part: String| text.matches(&part).count();
            let reachable = usize::from(state != State::Disabled);
            let serving = usize::from(state == State::Serving);
            let address = format!("10.0.0.{number}:80");
            prop_assert_eq!(count(&haproxy, format!("-m str -i {number:02X} }}\n")), reachable);
            prop_assert_eq!(count(&haproxy, format!("{address} send-proxy-v2\n")), reachable);
            prop_assert_eq!(count(&haproxy, format!("{address} addr n{number} port 81\n")), serving);
            prop_assert_eq!(count(&nginx, format!("proxy_pass http://node-{number:02X};\n")), reachable);
            prop_assert_eq!(count(&nginx, format!("server {address};\n")), reachable);
            prop_assert_eq!(count(&nginx, format!("server {address} max_fails=1")), serving);
        }
    }

    #[test]
    fn any_text_is_a_nodes_file_or_an_error(lines in vec(line(), 0..12)) {
        let text = lines.concat();
        match Nodes::parse(&text) {
            Ok(nodes) => prop_assert!(nodes.serving().count() >= 1),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

/// Lines that often make a nodes file.
fn line() -> impl Strategy<Value = String> {
    let address = || prop_oneof![Just("10.0.0.1:80".to_owned()), Just("n:80".to_owned()), "\\PC{0,8}"];
    prop_oneof![
        4 => Just("[[node]]\n".to_owned()),
        4 => (0..300_u16).prop_map(|number| format!("number = {number}\n")),
        4 => address().prop_map(|address| format!("address = '{address}'\n")),
        4 => address().prop_map(|address| format!("health = '{address}'\n")),
        1 => Just("state = 'draining'\n".to_owned()),
        1 => "\\PC{0,20}\n",
    ]
}
