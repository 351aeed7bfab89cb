//! The table of all settings: what each is called, how it is written, and what it means.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// As in the file, with the section before the dot: `limits.max_head`.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// One or more sentences for the help text and the printed settings.
    pub(crate) help: &'static str,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Addresses,
    AddressOrOff,
    Count,
    Size,
    Time,
    File,
    #[cfg(feature = "acme")]
    Folder,
    #[cfg(feature = "acme")]
    Names,
    #[cfg(feature = "acme")]
    MailAddresses,
    #[cfg(feature = "acme")]
    Url,
    Networks,
    Origins,
    ClientAddress,
    Node,
    YesNo,
    LogFormat,
    LogLevel,
}

impl Form {
    /// What to write, for an error message.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Addresses => "addresses with ports, such as [\"0.0.0.0:443\", \"[::]:443\"]",
            Self::AddressOrOff => "an address with a port, such as \"127.0.0.1:9091\", or \"off\"",
            Self::Count => "a whole number, or \"unlimited\"",
            Self::Size => "a number of bytes such as 8192, \"8KiB\" or \"1MiB\", or \"unlimited\"",
            Self::Time => "a time such as \"30s\", \"5m\" or \"1h\", or \"unlimited\"",
            Self::File => "the path of a file in quotes",
            #[cfg(feature = "acme")]
            Self::Folder => "the path of a folder in quotes",
            #[cfg(feature = "acme")]
            Self::Names => "host names, such as [\"cable.example.com\"]",
            #[cfg(feature = "acme")]
            Self::MailAddresses => "mail addresses, such as [\"operator@example.com\"]",
            #[cfg(feature = "acme")]
            Self::Url => "an https:// URL in quotes",
            Self::Networks => "addresses or networks, such as [\"127.0.0.1\", \"10.0.0.0/8\"]",
            Self::Origins => "origins, such as [\"https://example.com\"]",
            Self::ClientAddress => "\"x-forwarded-for\", \"forwarded\" or \"proxy-protocol\"",
            Self::Node => "a number from 0 to 255",
            Self::YesNo => "true or false",
            Self::LogFormat => "\"text\" or \"json\"",
            Self::LogLevel => {
                "a level such as \"info\" or \"debug\", or a filter such as \"hybridge_relay=debug\""
            }
        }
    }

    /// What stands for the value in the help text.
    pub(crate) const fn value_name(self) -> &'static str {
        match self {
            Self::Addresses => "ADDR",
            Self::AddressOrOff => "ADDR|off",
            Self::Count => "N",
            Self::Size => "SIZE",
            Self::Time => "TIME",
            Self::File => "FILE",
            #[cfg(feature = "acme")]
            Self::Folder => "FOLDER",
            #[cfg(feature = "acme")]
            Self::Names => "NAME",
            #[cfg(feature = "acme")]
            Self::MailAddresses => "MAIL",
            #[cfg(feature = "acme")]
            Self::Url => "URL",
            Self::Networks => "NET",
            Self::Origins => "ORIGIN",
            Self::ClientAddress => "HOW",
            Self::Node => "N",
            Self::YesNo => "true|false",
            Self::LogFormat => "text|json",
            Self::LogLevel => "LEVEL",
        }
    }

    /// A value as TOML, for a setting that is not set.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Addresses => "[\"0.0.0.0:443\"]",
            Self::AddressOrOff => "\"127.0.0.1:9091\"",
            Self::Count => "1",
            Self::Size => "\"1MiB\"",
            Self::Time => "\"30s\"",
            Self::File => "\"/etc/hybridge-relay/file.pem\"",
            #[cfg(feature = "acme")]
            Self::Folder => "\"/var/lib/hybridge-relay/acme\"",
            #[cfg(feature = "acme")]
            Self::Names => "[\"cable.example.com\"]",
            #[cfg(feature = "acme")]
            Self::MailAddresses => "[\"operator@example.com\"]",
            #[cfg(feature = "acme")]
            Self::Url => "\"https://acme.example.com/directory\"",
            Self::Networks => "[\"127.0.0.1\"]",
            Self::Origins => "[\"https://example.com\"]",
            Self::ClientAddress => "\"proxy-protocol\"",
            Self::Node => "1",
            Self::YesNo => "true",
            Self::LogFormat => "\"json\"",
            Self::LogLevel => "\"debug\"",
        }
    }

    /// Whether several values may stand in a list.
    pub(crate) const fn is_list(self) -> bool {
        #[cfg(feature = "acme")]
        if matches!(self, Self::Names | Self::MailAddresses) {
            return true;
        }
        matches!(self, Self::Addresses | Self::Networks | Self::Origins)
    }
}

impl Key {
    /// The section and the name in it; the section is empty for settings at the top of the file.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }

    /// The name of the flag, without its dashes.
    pub(crate) fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// The name of the environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// What the names of all environment variables start with.
pub(crate) const VARIABLE_PREFIX: &str = "HYBRIDGE_RELAY_";

/// The setting of this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether settings stand in a section of this name.
pub(crate) fn is_section(name: &str) -> bool {
    !name.is_empty() && KEYS.iter().any(|key| key.parts().0 == name)
}

/// The setting whose name is most like `name`, if one is. Also finds a name that stands in the wrong section.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let spelling = |name: &str| name.replace(['.', '-'], "_");
    let last = name.rsplit('.').next().unwrap_or(name);
    let distance = |key: &Key| {
        let whole = edits(&spelling(name), &spelling(key.name));
        whole.min(edits(last, key.parts().1).saturating_add(1))
    };
    let (nearest, distance) = KEYS.iter().map(|key| (key.name, distance(key))).min_by_key(|(_, d)| *d)?;
    (distance <= name.len().div_euclid(4).max(1)).then_some(nearest)
}

/// How many letters have to be put in, left out or changed to make one text of the other.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        for (cell, b) in row.iter_mut().zip(std::iter::once(None).chain(to.chars().map(Some))) {
            let above = *cell;
            *cell = match b {
                None => left,
                Some(b) => {
                    let changed = diagonal.saturating_add(usize::from(a != b));
                    changed.min(above.saturating_add(1)).min(left.saturating_add(1))
                }
            };
            diagonal = above;
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Every setting, section by section.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "listen",
        form: Form::Addresses,
        help: "Where phones and clients connect. Port 0 picks a free one. Sockets that the service manager \
               passes are used instead.",
    },
    Key {
        name: "drain_timeout",
        form: Form::Time,
        help: "How long live tunnels may go on after the service was told to stop.",
    },
    Key {
        name: "node",
        form: Form::Node,
        help: "The number of this machine where several run one service; each needs another one. A load balancer \
               finds the machine of a tunnel by it. Takes effect at the next start.",
    },
    Key {
        name: "tls.certificate",
        form: Form::File,
        help: "The certificate chain in PEM form, the service's own certificate first. Without one, the service \
               speaks plain HTTP and needs a proxy in front of it that speaks TLS. Read again at a reload.",
    },
    Key {
        name: "tls.key",
        form: Form::File,
        help: "The private key of the certificate, in PEM form and without a password.",
    },
    #[cfg(feature = "acme")]
    Key {
        name: "acme.names",
        form: Form::Names,
        help: "The host names to get a certificate for, in place of one from files. Each has to lead to this \
               service on port 443, where the authority looks for it. All of [acme] takes effect at the next start.",
    },
    #[cfg(feature = "acme")]
    Key { name: "acme.contact", form: Form::MailAddresses, help: "Where the authority may write to." },
    #[cfg(feature = "acme")]
    Key { name: "acme.directory", form: Form::Url, help: "The directory of the ACME authority." },
    #[cfg(feature = "acme")]
    Key {
        name: "acme.cache",
        form: Form::Folder,
        help: "Where the account's key and the certificate with its key are kept, for the user of the service only.",
    },
    #[cfg(feature = "acme")]
    Key {
        name: "acme.root",
        form: Form::File,
        help: "A root certificate in PEM form to trust beside those of the system, for an authority of your own.",
    },
    Key {
        name: "proxy.trusted",
        form: Form::Networks,
        help: "The proxies in front of the service. What they say of a client's address is believed, and from no \
               one else.",
    },
    Key {
        name: "proxy.client_address",
        form: Form::ClientAddress,
        help: "How the trusted proxies tell a client's address: in the header X-Forwarded-For, in the header \
               Forwarded, or by the PROXY protocol, version 2. The latter takes effect at the next start.",
    },
    Key {
        name: "access.tokens",
        form: Form::File,
        help: "A file of tokens, one per line: who opens a tunnel has to send one of them. Joining never takes a \
               token, as browsers cannot send one. Without tokens and keys, everybody may open tunnels.",
    },
    Key {
        name: "access.keys",
        form: Form::File,
        help: "A file of keys, one ID:KEY per line: who opens a tunnel has to send a token that was made with one of \
               them and has not expired. hybridge-relay token mint makes one.",
    },
    Key {
        name: "access.max_token_lifetime",
        form: Form::Time,
        help: "How far in the future a token that was made with a key may expire.",
    },
    Key {
        name: "access.origins",
        form: Form::Origins,
        help: "The websites whose pages may connect, by the header Origin. None for all. Programs and phones send \
               no such header and are always let in.",
    },
    Key {
        name: "limits.max_head",
        form: Form::Size,
        help: "The largest request head, request line and headers.",
    },
    Key {
        name: "limits.handshake_timeout",
        form: Form::Time,
        help: "How long a connection may take until its request is complete, and again to take the answer.",
    },
    Key {
        name: "limits.max_message",
        form: Form::Size,
        help: "The largest message; a longer one closes the tunnel with code 1009.",
    },
    Key {
        name: "limits.max_pending_bytes",
        form: Form::Size,
        help: "How many bytes of messages wait for the other side to join. Each message counts 64 bytes more.",
    },
    Key {
        name: "limits.max_tunnel_bytes",
        form: Form::Size,
        help: "How many bytes of messages each side may send through one tunnel.",
    },
    Key {
        name: "limits.max_tunnel_messages",
        form: Form::Count,
        help: "How many messages each side may send through one tunnel.",
    },
    Key {
        name: "limits.pending_lifetime",
        form: Form::Time,
        help: "How long a tunnel waits for its other side to join.",
    },
    Key {
        name: "limits.idle_lifetime",
        form: Form::Time,
        help: "How long a joined tunnel may go without a message or ping from either side.",
    },
    Key {
        name: "limits.lifetime",
        form: Form::Time,
        help: "How long a tunnel lives altogether, counted from its opening.",
    },
    Key {
        name: "limits.close_timeout",
        form: Form::Time,
        help: "How long a peer may take to answer a close frame and to read what was sent last.",
    },
    Key {
        name: "limits.max_tunnels",
        form: Form::Count,
        help: "The most tunnels at a time, pending and joined together. Further ones are refused with 503.",
    },
    Key {
        name: "limits.max_pending_tunnels",
        form: Form::Count,
        help: "The most tunnels at a time that wait to be joined. Further ones are refused with 503.",
    },
    Key {
        name: "limits.max_tunnels_per_source",
        form: Form::Count,
        help: "The most tunnels at a time that one source has opened. Further ones are refused with 429. A source is \
               an IPv4 address or an IPv6 network of 64 bits.",
    },
    Key {
        name: "limits.max_connections",
        form: Form::Count,
        help: "The most connections at a time. Further ones wait in the backlog.",
    },
    Key {
        name: "limits.max_connections_per_source",
        form: Form::Count,
        help: "The most connections at a time of one source. Further ones are refused with 429.",
    },
    Key {
        name: "limits.new_per_minute",
        form: Form::Count,
        help: "How often one source may ask for a new tunnel in a minute, on the whole.",
    },
    Key {
        name: "limits.new_burst",
        form: Form::Count,
        help: "How often one source may ask for a new tunnel at once, after a rest.",
    },
    Key {
        name: "limits.connect_per_minute",
        form: Form::Count,
        help: "How often one source may ask to join a tunnel in a minute, on the whole.",
    },
    Key {
        name: "limits.connect_burst",
        form: Form::Count,
        help: "How often one source may ask to join a tunnel at once, after a rest.",
    },
    Key {
        name: "admin.listen",
        form: Form::AddressOrOff,
        help: "Where /metrics, /healthz and /readyz are answered. Keep it away from the internet.",
    },
    Key { name: "log.format", form: Form::LogFormat, help: "Text for people or JSON for machines." },
    Key {
        name: "log.level",
        form: Form::LogLevel,
        help: "What is logged. The environment variable RUST_LOG comes before it.",
    },
    Key {
        name: "log.addresses",
        form: Form::YesNo,
        help: "Whether the log names the address of a peer that is refused, at level debug. Identifiers are never in \
               it.",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_flags_and_variables_are_distinct_and_sections_stand_together() {
        let flags: BTreeSet<_> = KEYS.iter().map(Key::flag).collect();
        let variables: BTreeSet<_> = KEYS.iter().map(Key::variable).collect();
        assert_eq!((flags.len(), variables.len()), (KEYS.len(), KEYS.len()));
        let mut sections: Vec<_> = KEYS.iter().map(|key| key.parts().0).collect();
        sections.dedup();
        let distinct: BTreeSet<_> = sections.iter().collect();
        assert_eq!(distinct.len(), sections.len());
    }

    #[test]
    fn one_name_in_three_spellings() {
        let key = find("limits.max_pending_bytes").unwrap();
        assert_eq!(key.flag(), "limits-max-pending-bytes");
        assert_eq!(key.variable(), "HYBRIDGE_RELAY_LIMITS_MAX_PENDING_BYTES");
        assert_eq!(key.parts(), ("limits", "max_pending_bytes"));
    }
}
