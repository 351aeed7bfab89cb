//! What programs need to know to use a testbed.

use std::{collections::BTreeMap, fmt::Write, net::SocketAddr, path::Path};

use serde::Serialize;
use serde_json::json;

use crate::tunnel::TunnelService;

/// Environment variables and browser flags that lead programs into a testbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// The environment that browsers and tests run in.
    ///
    /// | variable | what it holds |
    /// |---|---|
    /// | `DBUS_SYSTEM_BUS_ADDRESS` | the bus of the fake BlueZ |
    /// | `HYBRIDGE_CONTROL` | the address of the control interface, `http://127.0.0.1:…` |
    /// | `HYBRIDGE_CHROMIUM_ARGS` | the browser's flags, quoted for a shell |
    /// | `HYBRIDGE_RELAY_ADDR`, `HYBRIDGE_RELAY_CA` | the tunnel service's address, and a file with its root certificate |
    pub environment: BTreeMap<String, String>,
    /// Flags for Chromium and browsers made of it. They have an effect only beside a `--user-data-dir`, which
    /// ChromeDriver and Playwright set by themselves.
    pub chromium_args: Vec<String>,
    /// The address of the control interface.
    pub control: String,
}

impl Settings {
    /// Settings for the bus and the control interface at these addresses.
    pub(super) fn new(bus: &str, tunnel: &Tunnel<'_>, control: SocketAddr) -> Self {
        let chromium_args = chromium_args(tunnel);
        let control = format!("http://{control}");
        let flags: Vec<String> = chromium_args.iter().map(|flag| quoted(flag)).collect();
        let environment = [
            ("DBUS_SYSTEM_BUS_ADDRESS", bus.to_owned()),
            ("HYBRIDGE_CHROMIUM_ARGS", flags.join(" ")),
            ("HYBRIDGE_CONTROL", control.clone()),
            ("HYBRIDGE_RELAY_ADDR", tunnel.address.to_string()),
            ("HYBRIDGE_RELAY_CA", tunnel.root.display().to_string()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        Self { environment, chromium_args, control }
    }

    /// Lines that a shell reads, `export NAME='value'` each.
    pub fn to_shell(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.environment {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "export {name}={}", quoted(value));
        }
        text
    }

    /// One line of JSON, with the members `environment`, `chromium_args` and `control`.
    pub fn to_json(&self) -> String {
        format!("{}\n", json!(self))
    }
}

/// What is to be known about a tunnel service.
pub(super) struct Tunnel<'a> {
    pub(super) host: &'a str,
    pub(super) address: SocketAddr,
    pub(super) spki: &'a str,
    pub(super) root: &'a Path,
}

impl<'a> From<&'a TunnelService> for Tunnel<'a> {
    fn from(service: &'a TunnelService) -> Self {
        let (host, address, spki) = (service.host(), service.address(), service.spki());
        Self { host, address, spki, root: service.root_file() }
    }
}

/// Sends the tunnel service's name to this machine, and trusts the key that it has there and no other.
fn chromium_args(tunnel: &Tunnel<'_>) -> Vec<String> {
    vec![
        format!("--host-resolver-rules=MAP {}:443 {}", tunnel.host, tunnel.address),
        format!("--ignore-certificate-errors-spki-list={}", tunnel.spki),
    ]
}

/// A word in single quotes, as every shell of the POSIX kind reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn settings() -> Settings {
        let tunnel = Tunnel {
            host: "cable.example.com",
            address: SocketAddr::from(([127, 0, 0, 1], 4433)),
            spki: "AbC+/=",
            root: Path::new("/it's/root.pem"),
        };
        Settings::new("unix:path=/bus", &tunnel, SocketAddr::from(([127, 0, 0, 1], 8080)))
    }

    #[test]
    fn a_shell_understands_the_lines() {
        let script = format!(
            "{}eval \"set -- $HYBRIDGE_CHROMIUM_ARGS\"; printf '%s|' \"$@\" \"$HYBRIDGE_RELAY_CA\"",
            settings().to_shell()
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "--host-resolver-rules=MAP cable.example.com:443 127.0.0.1:4433|\
             --ignore-certificate-errors-spki-list=AbC+/=|/it's/root.pem|"
        );
    }

    #[test]
    fn json_has_flags_as_a_list() {
        let json: serde_json::Value = serde_json::from_str(&settings().to_json()).unwrap();
        assert_eq!(json["chromium_args"][1], "--ignore-certificate-errors-spki-list=AbC+/=");
        assert_eq!(json["control"], "http://127.0.0.1:8080");
        assert_eq!(json["environment"]["DBUS_SYSTEM_BUS_ADDRESS"], "unix:path=/bus");
    }
}
