//! The dashboard and the metrics name the same things.
#![cfg(feature = "program")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use futures_util::SinkExt;
use serde_json::Value;
use support::*;

/// Every name of a metric in a text.
fn names(text: &str) -> BTreeSet<String> {
    let of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter| !of_a_name(letter)).filter(|word| word.starts_with("hybridge_relay_"));
    words.map(str::to_owned).collect()
}

/// All queries in the dashboard.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("expr" | "query", Value::String(query)) => found.push(query.clone()),
                    _ => queries(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

/// The metrics of a service in which every kind of thing has happened once.
async fn metrics() -> String {
    let service = with_config(|config| config.max_tunnels = 1);
    let (mut phone, mut client) = pair(&service).await;
    assert_eq!(
        status(&exchange(&service, &format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", other_path())).await),
        503
    );
    client.send(binary("payload")).await.unwrap();
    next(&mut phone).await;
    client.close(None).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1000);
    drop((phone, client));
    while service.tunnel_count() > 0 {
        tokio::task::yield_now().await;
    }
    service.metrics()
}

fn other_path() -> String {
    format!("/cable/new/{}", "0B".repeat(16))
}

#[tokio::test]
async fn every_metric_of_the_dashboard_exists_and_every_metric_is_shown() {
    let dashboard: Value = serde_json::from_str(include_str!("../packaging/grafana-dashboard.json")).unwrap();
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 15, "{found:?}");
    let shown = names(&found.join("\n"));

    let metrics = metrics().await;
    let samples: String =
        metrics.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let existing = names(&samples);
    assert_eq!(shown.difference(&existing).collect::<Vec<_>>(), Vec::<&String>::new(), "{metrics}");
    // Histograms are shown by their buckets.
    let missing: Vec<_> = existing
        .difference(&shown)
        .filter(|name| !name.ends_with("_seconds_sum") && !name.ends_with("_seconds_count"))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}
