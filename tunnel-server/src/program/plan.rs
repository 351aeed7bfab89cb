//! From settings to what the service runs with; everything that can be checked beforehand is checked here.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use hybridge_relay::{Config, ForwardedHeader, Front, TlsConfig, TlsError, node::Node};
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

#[cfg(feature = "acme")]
use super::settings::acme::AcmeSettings;
use super::settings::{
    TlsSettings,
    error::{Origin, SettingsError},
    proxy::ClientAddress,
    sources::Loaded,
};

/// What the service runs with.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
    /// Whether somebody asked for just this admin address: then the service does not start without it.
    pub(crate) admin_wanted: bool,
    pub(crate) drain_timeout: Duration,
    pub(crate) limits_lifted: bool,
    pub(crate) config: Config,
    /// What stands between a socket and the service.
    pub(crate) front: Front,
    /// The proxies that the front was set up with.
    pub(crate) in_front: Option<Vec<IpNet>>,
    pub(crate) tls: Option<TlsConfig>,
    /// The files that TLS was set up with.
    pub(crate) tls_files: TlsSettings,
    /// The authority that certificates are asked of.
    #[cfg(feature = "acme")]
    pub(crate) acme: AcmeSettings,
}

impl Plan {
    /// Checks settings and every file that they name.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn new(loaded: &Loaded) -> Result<Self, Vec<SettingsError>> {
        let errors = rules(loaded);
        if !errors.is_empty() {
            return Err(errors);
        }
        let settings = &loaded.settings;
        let config = config(loaded)?;
        let tls = tls(loaded)?;
        let mut front = Front::plain();
        if let Some(tls) = &tls {
            front = front.tls(tls.clone());
        }
        let in_front = settings.proxy.in_front();
        if let Some(trusted) = &in_front {
            front = front.proxy_protocol(trusted.clone());
        }
        Ok(Self {
            listen: settings.listen.clone(),
            admin: settings.admin.address(),
            admin_wanted: loaded.origin("admin.listen") != Origin::Default,
            drain_timeout: settings.drain_timeout.0,
            limits_lifted: loaded.limits_lifted,
            config,
            front,
            in_front,
            tls,
            tls_files: settings.tls.clone(),
            #[cfg(feature = "acme")]
            acme: settings.acme.clone(),
        })
    }
}

/// What the library is told.
fn config(loaded: &Loaded) -> Result<Config, Vec<SettingsError>> {
    let settings = &loaded.settings;
    let mut config = Config::default();
    settings.limits.apply(&mut config);
    config.node = settings.node.map(|number| Node::starting_at(number, SystemTime::now()));
    config.access = settings.access.read().map_err(|(key, what)| vec![loaded.rule(key, what)])?;
    config.log_addresses = settings.log.addresses;
    config.origins = settings.access.origins();
    match settings.proxy.client_address {
        ClientAddress::XForwardedFor => config.forwarded_header = ForwardedHeader::XForwardedFor,
        ClientAddress::Forwarded => config.forwarded_header = ForwardedHeader::Forwarded,
        // The address is known before the request is, and no header may name another one.
        ClientAddress::ProxyProtocol => return Ok(config),
    }
    config.trusted_proxies = settings.proxy.networks();
    Ok(config)
}

/// TLS, if the settings have a certificate or names to get one for.
fn tls(loaded: &Loaded) -> Result<Option<TlsConfig>, Vec<SettingsError>> {
    #[cfg(feature = "acme")]
    if let Some(acme) = loaded.settings.acme.config() {
        let unusable = |error: TlsError| vec![loaded.rule("acme.names", error.to_string())];
        return TlsConfig::from_acme(&acme).map(Some).map_err(unusable);
    }
    let TlsSettings { certificate, key } = &loaded.settings.tls;
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let unusable = |error: TlsError| vec![loaded.rule("tls.certificate", error.to_string())];
    TlsConfig::from_pem_files(certificate, key).map(Some).map_err(unusable)
}

/// What no single value shows to be wrong.
fn rules(loaded: &Loaded) -> Vec<SettingsError> {
    let settings = &loaded.settings;
    let mut errors = Vec::new();
    let mut rule = |holds: bool, key, what: &str| {
        if !holds {
            errors.push(loaded.rule(key, what));
        }
    };
    rule(!settings.listen.is_empty(), "listen", "no address to listen on; name at least one");
    rule(
        !loaded.limits_lifted || settings.listen.iter().all(|address| address.ip().is_loopback()),
        "listen",
        "--limits none is for benchmarks and needs a loopback address, such as --listen 127.0.0.1:8080",
    );
    rule(
        EnvFilter::try_new(&settings.log.level).is_ok(),
        "log.level",
        "this is no level and no filter; write info, debug, or a filter such as hybridge_relay=debug",
    );
    let TlsSettings { certificate, key } = &settings.tls;
    rule(
        certificate.is_none() || key.is_some(),
        "tls.certificate",
        "a certificate needs its key; set tls.key, to the same file if both are in one",
    );
    #[cfg(feature = "acme")]
    rule(
        certificate.is_none() || settings.acme.names.is_empty(),
        "acme.names",
        "there is a certificate in files too; set either tls.certificate or acme.names",
    );
    rule(
        key.is_none() || certificate.is_some(),
        "tls.key",
        "a key needs its certificate; set tls.certificate",
    );
    rule(
        settings.proxy.client_address != ClientAddress::ProxyProtocol || !settings.proxy.trusted.is_empty(),
        "proxy.client_address",
        "the PROXY protocol is read from trusted proxies only, and none is named; set proxy.trusted",
    );
    rule(
        settings.access.tokens.is_none() || settings.access.keys.is_none(),
        "access.keys",
        "there is a file of tokens too, and a token is one or the other; set access.tokens or access.keys",
    );
    rule(
        settings.access.origins.iter().all(|origin| is_origin(origin)),
        "access.origins",
        "an origin is a scheme and a host, such as \"https://example.com\", and nothing behind them",
    );
    let limits = &settings.limits;
    rule(limits.max_message.0 > 0, "limits.max_message", "nothing could be sent; take \"1MiB\"");
    rule(limits.max_tunnels.0 > 0, "limits.max_tunnels", "no tunnel could be opened; take 2048");
    for (key, count) in [
        ("limits.max_pending_tunnels", limits.max_pending_tunnels),
        ("limits.max_tunnels_per_source", limits.max_tunnels_per_source),
        ("limits.max_connections_per_source", limits.max_connections_per_source),
        ("limits.max_tunnel_messages", limits.max_tunnel_messages),
        ("limits.new_per_minute", limits.new_per_minute),
        ("limits.new_burst", limits.new_burst),
        ("limits.connect_per_minute", limits.connect_per_minute),
        ("limits.connect_burst", limits.connect_burst),
    ] {
        rule(count.0 > 0, key, "nobody could use the service; write a number above 0, or \"unlimited\"");
    }
    rule(limits.max_connections.0 > 1, "limits.max_connections", "a tunnel has two connections; take 4096");
    for (key, time) in [
        ("limits.handshake_timeout", limits.handshake_timeout),
        ("limits.pending_lifetime", limits.pending_lifetime),
        ("limits.idle_lifetime", limits.idle_lifetime),
        ("limits.lifetime", limits.lifetime),
        ("limits.close_timeout", limits.close_timeout),
    ] {
        rule(!time.0.is_zero(), key, "no time at all is too little; write a time such as \"10s\"");
    }
    errors
}

/// Whether a text is an origin as browsers write it.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == text)
}
