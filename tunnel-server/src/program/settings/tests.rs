//! The settings from each source, and what is said of those that are wrong.

use std::{collections::BTreeSet, ffi::OsString, fs, path::PathBuf};

use clap::Parser;
use tempfile::TempDir;
use toml::Value;

use super::{
    error::{Origin, SettingsError},
    file,
    keys::{self, KEYS},
    print,
    proxy::{ClientAddress, Network},
    sources::{Loaded, Sources},
    *,
};
use crate::program::{args::Arguments, plan::Plan};

/// Settings from a file's text, environment variables and flags.
fn load(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, Vec<SettingsError>> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    let config = ["hybridge-relay", "--config", path.to_str().unwrap()];
    let arguments = Arguments::try_parse_from(config.iter().chain(flags)).unwrap();
    let sources: Sources = arguments.serve.sources();
    sources.load_with(|name| {
        let value = variables.iter().find(|(variable, _)| *variable == name)?.1;
        Some(OsString::from(value))
    })
}

/// What is said of a file with this text.
fn complaints(text: &str) -> Vec<String> {
    let path = PathBuf::from("config.toml");
    let from_file = |text: &str| match file::parse(&path, text) {
        Err(errors) => errors,
        Ok(_) => match load(text, &[], &[]).and_then(|loaded| Plan::new(&loaded)) {
            Err(errors) => errors,
            Ok(_) => Vec::new(),
        },
    };
    let said = from_file(text).into_iter().map(|error| error.to_string());
    // The folder of the file is another one each time.
    said.map(|line| line.split_once("config.toml").map_or(line.clone(), |(_, rest)| rest.to_owned()))
        .collect()
}

#[test]
fn flags_come_before_variables_and_these_before_the_file() {
    let file = "[limits]\nmax_tunnels = 1\nmax_connections = 11\nmax_head = \"1KiB\"\n";
    let variables =
        [("HYBRIDGE_RELAY_LIMITS_MAX_TUNNELS", "2"), ("HYBRIDGE_RELAY_LIMITS_MAX_CONNECTIONS", "22")];
    let loaded = load(file, &variables, &["--limits-max-tunnels", "3"]).unwrap();
    let limits = &loaded.settings.limits;
    assert_eq!((limits.max_tunnels.0, limits.max_connections.0, limits.max_head.0), (3, 22, 1024));
    assert_eq!(loaded.origin("limits.max_tunnels"), Origin::Flag("limits-max-tunnels".to_owned()));
    let variable = Origin::Variable("HYBRIDGE_RELAY_LIMITS_MAX_CONNECTIONS".to_owned());
    assert_eq!(loaded.origin("limits.max_connections"), variable);
    assert!(matches!(loaded.origin("limits.max_head"), Origin::File { line: 4, .. }));
    assert_eq!(loaded.origin("limits.max_message"), Origin::Default);
}

#[test]
fn lists_in_every_source() {
    let both: Vec<SocketAddr> = vec!["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
    let file = load("listen = [\"127.0.0.1:1\", \"[::1]:2\"]", &[], &[]).unwrap();
    let variable = load("", &[("HYBRIDGE_RELAY_LISTEN", "127.0.0.1:1, [::1]:2")], &[]).unwrap();
    let flags = load(
        "",
        &[],
        &["--listen", "127.0.0.1:1", "--listen", "[::1]:2", "--node", "3", "--log-addresses", "true"],
    )
    .unwrap();
    assert_eq!((flags.settings.node, flags.settings.log.addresses), (Some(3), true));
    for loaded in [file, variable, flags] {
        assert_eq!(loaded.settings.listen, both);
    }
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let loaded = load("", &[("HYBRIDGE_RELAY_LISTEN", "")], &[]).unwrap();
    assert_eq!(loaded.settings, Settings::default());
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_a_way_out() {
    for (text, expected) in [
        ("\n\n[limits\n", ", line 3: this is not TOML ("),
        (
            "[limits]\nmax_tunels = 3\n",
            ", line 2: there is no setting limits.max_tunels; did you mean limits.max_tunnels?",
        ),
        ("max_tunnels = 3\n", ", line 1: there is no setting max_tunnels; did you mean limits.max_tunnels?"),
        (
            "[colour]\nred = 1\n",
            ", line 1: there is no setting colour; hybridge-relay --print-config lists all",
        ),
        ("[limits]\nmax_tunnels.x = 1\n", ", line 2: limits.max_tunnels: "),
        (
            "# A size.\n[limits]\nmax_head = \"8KB\"\n",
            ", line 3: limits.max_head: this is no size; write a number of bytes such as 8192, \"8KiB\" or \"1MiB\", \
             or \"unlimited\"",
        ),
        (
            "[limits]\nlifetime = 5\n",
            ", line 2: limits.lifetime: this is no time; write a time such as \"30s\"",
        ),
        ("listen = [\"localhost\"]\n", ", line 1: listen: "),
        ("listen = []\n", ", line 1: listen: no address to listen on; name at least one"),
        ("[limits]\nlifetime = \"0s\"\n", ", line 2: limits.lifetime: no time at all is too little"),
        ("[log]\nformat = \"xml\"\n", ", line 2: log.format: "),
        ("[log]\nlevel = \"=loud\"\n", ", line 2: log.level: this is no level and no filter"),
        ("node = 256\n", ", line 1: node: "),
        (
            "[proxy]\ntrusted = [\"proxy\"]\n",
            ", line 2: proxy.trusted: this is no network; write addresses or",
        ),
        (
            "[proxy]\nclient_address = \"proxy-protocol\"\n",
            ", line 2: proxy.client_address: the PROXY protocol",
        ),
        ("[tls]\nkey = \"k\"\n", ", line 2: tls.key: a key needs its certificate"),
        ("[tls]\ncertificate = \"c\"\n", ", line 2: tls.certificate: a certificate needs its key"),
        (
            "[tls]\nkey = \"/nowhere\"\ncertificate = \"/nowhere\"\n",
            ", line 3: tls.certificate: cannot read /nowhere: ",
        ),
        ("[access]\ntokens = \"/nowhere\"\n", ", line 2: access.tokens: cannot read /nowhere ("),
        ("[access]\ntokens = \"a\"\nkeys = \"b\"\n", ", line 3: access.keys: there is a file of tokens too"),
        (
            "[access]\norigins = [\"example.com\"]\n",
            ", line 2: access.origins: an origin is a scheme and a host",
        ),
        (
            "[access]\norigins = [\"https://a.b/\"]\n",
            ", line 2: access.origins: an origin is a scheme and a host",
        ),
        ("[limits]\nnew_burst = 0\n", ", line 2: limits.new_burst: nobody could use the service"),
        ("[admin]\nlisten = \"on\"\n", ", line 2: admin.listen: "),
    ] {
        let said = complaints(text);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{text}: {said:?}");
    }
    assert_eq!(complaints("[limits]\na = 1\nb = 2\n").len(), 2);
}

#[test]
fn the_environment_and_flags_are_named_too() {
    let said = |result: Result<Loaded, Vec<SettingsError>>| result.unwrap_err()[0].to_string();
    let variable = said(load("", &[("HYBRIDGE_RELAY_LIMITS_LIFETIME", "soon")], &[]));
    let expected =
        "environment variable HYBRIDGE_RELAY_LIMITS_LIFETIME: limits.lifetime: this is no time; write ";
    assert!(variable.starts_with(expected), "{variable}");
    let flag = said(load("", &[], &["--limits-max-head", "8KB"]));
    assert!(flag.starts_with("flag --limits-max-head: limits.max_head: this is no size; write "), "{flag}");
}

#[test]
fn lifted_limits_need_loopback_addresses() {
    let plan = |listen| Plan::new(&load("", &[], &["--limits", "none", "--listen", listen]).unwrap());
    assert_eq!(plan("127.0.0.1:0").unwrap().config.max_tunnels, usize::MAX);
    assert!(plan("[::1]:0").is_ok());
    for listen in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let said = plan(listen).unwrap_err()[0].to_string();
        assert!(said.starts_with("flag --listen: listen: --limits none is for benchmarks"), "{said}");
    }
}

#[test]
fn every_setting_has_a_key_and_every_key_is_a_setting() {
    let keys: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    let mut fields = BTreeSet::new();
    for (name, value) in print::table(&full()) {
        match value {
            Value::Table(section) => fields.extend(section.keys().map(|field| format!("{name}.{field}"))),
            _ => _ = fields.insert(name),
        }
    }
    assert_eq!(keys, fields);
}

/// Settings in which everything is set.
fn full() -> Settings {
    let file = |name: &str| Some(PathBuf::from(name));
    Settings {
        node: Some(7),
        tls: TlsSettings { certificate: file("a \"b\".pem"), key: file("key.pem") },
        #[cfg(feature = "acme")]
        acme: AcmeSettings { root: file("root.pem"), ..AcmeSettings::default() },
        proxy: ProxySettings {
            trusted: ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]
                .map(|text| Network(text.parse().unwrap()))
                .into(),
            client_address: ClientAddress::ProxyProtocol,
        },
        access: AccessSettings {
            tokens: file("tokens"),
            keys: file("keys"),
            origins: vec!["https://example.com".to_owned()],
            ..AccessSettings::default()
        },
        ..Settings::default()
    }
}

#[test]
fn printed_settings_can_be_read_back() {
    let changed = load(
        "drain_timeout = \"1m 5s\"\nlisten = [\"[::1]:0\"]\n[limits]\nmax_message = 1000\nlifetime = \"unlimited\"\n\
         [admin]\nlisten = \"off\"\n[log]\nformat = \"json\"\n",
        &[],
        &[],
    )
    .unwrap();
    let lifted = load("", &[], &["--limits", "none"]).unwrap();
    for settings in [Settings::default(), full(), changed.settings, lifted.settings] {
        let printed = print::commented(&settings);
        let again = load(&printed, &[], &[]).unwrap().settings;
        assert_eq!(again, settings, "{printed}");
        assert_eq!(print::commented(&again), printed);
    }
}

/// A certificate comes from files or from an authority, and an authority needs to know for which names.
#[cfg(feature = "acme")]
#[test]
fn certificates_from_an_authority() {
    let cache = TempDir::new().unwrap();
    let acme = |names: &str| format!("[acme]\ncache = \"{}\"\nnames = {names}\n", cache.path().display());
    let plan = |text: &str| Plan::new(&load(text, &[], &[]).unwrap());
    assert!(plan(&acme("[]")).unwrap().tls.is_none());
    assert_eq!(plan(&acme("[\"cable.example.com\"]")).unwrap().tls.unwrap().validity(), None);
    for (names, files, said) in [
        ("[\"not a name\"]", "", "acme.names: no certificate can be asked for"),
        (
            "[\"a.example\"]",
            "[tls]\ncertificate = \"c\"\nkey = \"k\"\n",
            "acme.names: there is a certificate in files",
        ),
    ] {
        let error = plan(&(acme(names) + files)).unwrap_err()[0].to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// The packaged file is `hybridge-relay --print-config | sed 's/^[a-z]/#&/'` behind a few lines of its own. The
/// package has the program without what stands behind a feature.
#[cfg(not(feature = "acme"))]
#[test]
fn the_packaged_file_says_the_defaults_and_sets_nothing() {
    let packaged = include_str!("../../../packaging/config.toml");
    assert_eq!(load(packaged, &[], &[]).unwrap().settings, Settings::default());
    let (_, settings) = packaged.split_once("\n\n").unwrap();
    let set: String = settings
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|first: char| first.is_ascii_lowercase()) => setting,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_eq!(set, print::commented(&Settings::default()));
}

#[test]
fn the_operators_page_has_every_limit_with_its_default() {
    let page = include_str!("../../../../docs/operators.md");
    let defaults = print::table(&Settings::default());
    let limits = KEYS.iter().filter(|key| key.parts().0 == "limits");
    let expected: BTreeSet<(String, String)> = limits
        .map(|key| {
            let default = print::value(&defaults, key).unwrap();
            (key.name.to_owned(), default.as_str().map_or_else(|| default.to_string(), str::to_owned))
        })
        .collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `limits.")?.split_once("` | "));
    let told: BTreeSet<(String, String)> = rows
        .map(|(name, rest)| (format!("limits.{name}"), rest.split(" |").next().unwrap().to_owned()))
        .collect();
    assert_eq!(told, expected);
}

/// Every setting, file and command line that the page names exists.
#[test]
fn the_operators_page_names_only_settings_that_exist() {
    let page = include_str!("../../../../docs/operators.md");
    let sections: BTreeSet<&str> =
        KEYS.iter().map(|key| key.parts().0).filter(|name| !name.is_empty()).collect();
    let quoted = page.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|text| {
        let name = text.split([' ', '=']).next()?;
        sections.contains(name.split_once('.')?.0).then_some(name)
    });
    let unknown: Vec<_> = named.filter(|name| keys::find(name).is_none()).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}
