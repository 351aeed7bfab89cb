//! What a code tells, as text for people and JSON for programs.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use hybridge_proto::qr::{Channels, Hint, QrCode};
use serde::Serialize;

use super::words;

/// Whether a report gives away what lets somebody answer in the phone's place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    Shown,
    Hidden,
}

/// The fields of a code and what follows from them. Absent fields of the code are absent here.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Report {
    /// `ga`, `mc`, `dcp`, `dci` or something new.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The hint that a phone acts on.
    effective_hint: String,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    /// Negative when the client's clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_assigned_domains: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supports_linking: Option<bool>,
    /// 0 websocket tunnel, 1 BLE L2CAP.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<u64>>,
    effective_channels: Vec<u64>,
    /// Two hex digits.
    tunnel_id_first_byte: String,
    #[serde(flatten)]
    secrets: Option<SecretFields>,
}

/// All in hex.
#[derive(Serialize)]
struct SecretFields {
    tunnel_id: String,
    qr_secret: String,
    public_key: String,
}

impl Report {
    /// Reads a code at the time `now`, in Unix seconds.
    pub(crate) fn new(code: &QrCode, now: u64, secrets: Secrets) -> Self {
        let tunnel_id = code.secret.tunnel_id();
        let [first, ..] = *tunnel_id.as_bytes();
        let shown = || SecretFields {
            tunnel_id: HEXLOWER.encode(tunnel_id.as_bytes()),
            qr_secret: HEXLOWER.encode(code.secret.expose_bytes()),
            public_key: HEXLOWER.encode(&code.public_key.to_compressed()),
        };
        Self {
            hint: code.hint.as_ref().map(|hint| hint.as_wire().to_owned()),
            effective_hint: code.effective_hint().effective().as_wire().to_owned(),
            timestamp: code.timestamp,
            age_seconds: code.timestamp.map(|made| age(made, now)),
            known_assigned_domains: code.known_domains,
            supports_linking: code.supports_linking,
            channels: code.channels.as_ref().map(|channels| channels.numbers().to_vec()),
            effective_channels: code.effective_channels().numbers().to_vec(),
            tunnel_id_first_byte: format!("{first:02x}"),
            secrets: (secrets == Secrets::Shown).then(shown),
        }
    }

    /// Writes it for people.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, value) in self.lines() {
            writeln!(out, "{name:<18}{value}")?;
        }
        writeln!(out, "\nA phone that scans it would")?;
        for (step, number) in self.next_steps().iter().zip(1_u8..) {
            writeln!(out, "  {number}. {step}")?;
        }
        Ok(())
    }

    fn lines(&self) -> [(&'static str, String); 8] {
        let secret = |shown: fn(&SecretFields) -> &String, hidden: &str| {
            self.secrets.as_ref().map_or_else(|| hidden.to_owned(), |fields| shown(fields).clone())
        };
        let hidden_tunnel = format!("{}.. (16 bytes, follows from the secret)", self.tunnel_id_first_byte);
        [
            ("Asks for", words::hint(self.hint.as_deref())),
            ("Made", words::age(self.timestamp, self.age_seconds)),
            ("Tunnel services", words::known_services(self.known_assigned_domains)),
            ("Data channels", words::channels(self.channels.as_deref())),
            ("Remembers phones", words::linking(self.supports_linking)),
            ("Tunnel ID", secret(|fields| &fields.tunnel_id, &hidden_tunnel)),
            ("Secret", secret(|fields| &fields.qr_secret, "hidden (16 bytes)")),
            ("Public key", secret(|fields| &fields.public_key, "hidden (33 bytes, a point on P-256)")),
        ]
    }

    fn next_steps(&self) -> Vec<String> {
        let channels = Channels::from_numbers(self.effective_channels.clone());
        if !channels.websocket() && !channels.l2cap() {
            return vec!["tell its owner that this computer needs a newer phone".to_owned()];
        }
        let ask = words::question(&Hint::from_wire(&self.effective_hint));
        let mut steps = vec![format!("ask its owner whether to {ask}")];
        if channels.websocket() {
            let whose = words::allowed_services(self.known_assigned_domains.unwrap_or(0));
            steps.push(format!("open tunnel {}.. at a tunnel service: {whose}", self.tunnel_id_first_byte));
        }
        if channels.l2cap() {
            let instead = if channels.websocket() { ", or instead of it" } else { "" };
            steps.push(format!("open a Bluetooth data channel, if it can{instead}"));
        }
        steps.push("advertise by Bluetooth, encrypted for whoever made the code, where to meet".to_owned());
        steps.push("wait for a computer that proves to have heard the advert, and answer it".to_owned());
        steps
    }
}

fn age(made: u64, now: u64) -> i64 {
    let difference = i128::from(now) - i128::from(made);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}
