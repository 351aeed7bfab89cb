//! Which service is checked, and where it is dialed.

use std::net::IpAddr;

use url::{Host, Url};

use super::{CheckArgs, UsageError};

/// A service by its name, and where to dial it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it stands in the certificate: a name, or an address without brackets.
    pub(crate) host: String,
    /// As it stands in the `Host` header.
    pub(crate) authority: String,
    pub(crate) secure: bool,
    pub(crate) dial: (String, u16),
}

impl Target {
    pub(crate) fn new(args: &CheckArgs) -> Result<Self, UsageError> {
        let url = Url::parse(&args.url).map_err(|_| UsageError::Url)?;
        let (secure, default_port) = match url.scheme() {
            "https" | "wss" => (true, 443),
            "http" | "ws" => (false, 80),
            _ => return Err(UsageError::Url),
        };
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(UsageError::Url);
        }
        let shown = url.host_str().filter(|host| !host.is_empty()).ok_or(UsageError::Url)?;
        let host = host_name(shown);
        let authority = match url.port() {
            Some(port) if port != default_port => format!("{shown}:{port}"),
            _ => shown.to_owned(),
        };
        let dial = match &args.connect_to {
            Some(to) => parse_dial(to).ok_or(UsageError::ConnectTo)?,
            None => (host.clone(), url.port().unwrap_or(default_port)),
        };
        if !secure && !args.insecure_plain && !is_loopback(&dial.0) {
            return Err(UsageError::Plain);
        }
        Ok(Self { host, authority, secure, dial })
    }

    /// What `Origin` a browser's own code sends.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}", self.authority)
    }
}

fn host_name(shown: &str) -> String {
    shown.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn parse_dial(to: &str) -> Option<(String, u16)> {
    let (host, port) = to.rsplit_once(':')?;
    Host::parse(host).ok()?;
    Some((host_name(host), port.parse().ok().filter(|port| *port != 0)?))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches};

    use super::*;

    fn target(args: &[&str]) -> Result<Target, UsageError> {
        let command = CheckArgs::augment_args(Command::new("check"));
        let matches = command.try_get_matches_from([&["check", "--url"], args].concat()).unwrap();
        Target::new(&CheckArgs::from_arg_matches(&matches).unwrap())
    }

    #[test]
    fn the_parts_of_a_url() {
        let secure = target(&["https://cable.example.com"]).unwrap();
        assert_eq!(
            (secure.authority.as_str(), secure.origin().as_str()),
            ("cable.example.com", "wss://cable.example.com")
        );
        assert_eq!(secure.dial, ("cable.example.com".to_owned(), 443));
        let other = target(&["wss://[2001:db8::1]:8443/", "--connect-to", "[::1]:99"]).unwrap();
        assert_eq!((other.host.as_str(), other.authority.as_str()), ("2001:db8::1", "[2001:db8::1]:8443"));
        assert_eq!(other.dial, ("::1".to_owned(), 99));
    }

    #[test]
    fn what_is_no_service() {
        for url in ["cable.example.com", "ftp://a", "https://a/cable", "https://a/?q", "https://user@a"] {
            assert!(matches!(target(&[url]), Err(UsageError::Url)), "{url}");
        }
        for to in ["a", "a:0", "a:x", ":1"] {
            assert!(matches!(target(&["https://a", "--connect-to", to]), Err(UsageError::ConnectTo)), "{to}");
        }
    }

    #[test]
    fn in_the_clear_only_on_this_machine() {
        for url in ["http://127.0.0.1:8080", "ws://localhost", "http://[::1]:80"] {
            assert!(target(&[url]).is_ok(), "{url}");
        }
        assert!(target(&["http://cable.example.com", "--connect-to", "127.0.0.1:1"]).is_ok());
        assert!(matches!(target(&["http://cable.example.com"]), Err(UsageError::Plain)));
        assert!(matches!(
            target(&["http://127.0.0.1", "--connect-to", "192.0.2.1:80"]),
            Err(UsageError::Plain)
        ));
        assert!(target(&["http://cable.example.com", "--insecure-plain"]).is_ok());
    }
}
