//! The program: its command line, settings, second listener and helpers.
#![cfg(feature = "program")]
#![allow(clippy::unwrap_used)]

#[path = "support/program.rs"]
mod program;

use std::{fs, process::Stdio};

use program::{Program, command, get, output, text};
use tokio::net::TcpListener;

const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

#[tokio::test]
async fn wrong_settings_are_named_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, "[limits]\nmax_head = \"8 apples\"\nmax_tunels = 5\n").unwrap();
    for arguments in [&["--check-config"][..], &[]] {
        let said = command(&["--config", path.to_str().unwrap()]).args(arguments).output().await.unwrap();
        assert_eq!(said.status.code(), Some(2));
        assert!(said.stdout.is_empty());
        let errors = text(&said.stderr);
        let expected =
            format!("hybridge-relay: {}, line 3: there is no setting limits.max_tunels", path.display());
        assert!(errors.starts_with(&expected), "{errors}");
    }
    let missing = output(&["--config", "/nowhere/config.toml"]).await;
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("/nowhere/config.toml: the configuration file cannot be read"));
}

#[tokio::test]
async fn printed_settings_are_a_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let printed = command(&["--print-config", "--listen", "[::1]:4711"])
        .env("HYBRIDGE_RELAY_LIMITS_LIFETIME", "90s")
        .output()
        .await
        .unwrap();
    assert!(printed.status.success());
    fs::write(&path, &printed.stdout).unwrap();
    let again = command(&["--print-config"]).env("HYBRIDGE_RELAY_CONFIG", &path).output().await.unwrap();
    assert_eq!(text(&again.stdout), text(&printed.stdout));
    assert!(text(&again.stdout).contains("lifetime = \"1m 30s\"\n"));
    let checked = output(&["--check-config", "--config", path.to_str().unwrap()]).await;
    assert_eq!(
        (checked.status.code(), text(&checked.stdout)),
        (Some(0), "the settings are good\n".to_owned())
    );
}

#[tokio::test]
async fn the_second_listener_tells_of_health() {
    let mut running = Program::start(&mut command(&LISTEN));
    running.listening().await;
    let admin = running.admin().await;
    assert!(get(admin, "/healthz").await.starts_with("HTTP/1.1 200 "));
    let url = format!("http://{admin}");
    let asked = output(&["health", "--url", &url]).await;
    assert_eq!((asked.status.code(), text(&asked.stdout)), (Some(0), "ready\n".to_owned()));
    let asked =
        command(&["health"]).env("HYBRIDGE_RELAY_ADMIN_LISTEN", admin.to_string()).output().await.unwrap();
    assert_eq!(asked.status.code(), Some(0));

    running.signal("TERM").await;
    assert!(running.ended().await.success());
    let asked = output(&["health", "--url", &url]).await;
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stderr).starts_with("hybridge-relay: the service does not answer"));
    let off = command(&["health"]).env("HYBRIDGE_RELAY_ADMIN_LISTEN", "off").output().await.unwrap();
    assert_eq!(off.status.code(), Some(1));
}

#[tokio::test]
async fn a_taken_port_for_metrics_stops_only_those_who_asked_for_it() {
    // Taken by this test, or by somebody else already.
    let taken = TcpListener::bind("127.0.0.1:9091").await;
    let mut running = Program::start(command(&["--listen", "127.0.0.1:0"]).stderr(Stdio::piped()));
    running.listening().await;
    running.signal("TERM").await;
    assert!(running.ended().await.success());
    let errors = running.errors().await;
    assert!(
        errors.contains("no metrics and health checks: their port is taken; set admin.listen"),
        "{errors}"
    );

    let refused = output(&["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:9091"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let errors = text(&refused.stderr);
    assert!(
        errors.contains("cannot listen on 127.0.0.1:9091 for metrics and health checks; set"),
        "{errors}"
    );
    drop(taken);
}

#[tokio::test]
async fn domains_as_the_other_program_prints_them() {
    let found = output(&["domain", "--id", "266"]).await;
    assert_eq!(text(&found.stdout), "266\tcable.wufkweyy3uaxb.com\tcomputed\n");
    let google = output(&["domain", "--id", "0"]).await;
    assert_eq!(text(&google.stdout), "0\tcable.ua5v.com\tassigned to Google\n");
    let searched = output(&["domain", "--search", "wufk"]).await;
    assert!(text(&searched.stdout).contains("266\tcable.wufkweyy3uaxb.com\tcomputed\n"));
    for (arguments, code) in [
        (&["--id", "2"][..], 1),
        (&["--id", "65536"], 2),
        (&["--search", "a1"], 2),
        (&["--search", "wufkweyy3uaxb7"], 1),
        (&[], 2),
    ] {
        let refused = command(&["domain"]).args(arguments).output().await.unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}");
        assert!(refused.stdout.is_empty() && !refused.stderr.is_empty());
    }
}

#[tokio::test]
async fn a_log_in_json_is_json_on_every_line() {
    let mut running = Program::start(command(&LISTEN).args(["--log-format", "json"]).stderr(Stdio::piped()));
    running.listening().await;
    running.signal("TERM").await;
    assert!(running.ended().await.success());
    let errors = running.errors().await;
    let events: Vec<serde_json::Value> =
        errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|event| event["message"] == "stopping"), "{errors}");
}
