//! Which site asks, and whose passkeys it may ask for.

use std::fmt;

use url::{Host, Url};

use super::error::{OptionsError, OriginError};

/// Where a request comes from: scheme, host and port of a website.
///
/// Whoever makes one says so of itself. A browser knows which page is open; a program that takes an origin from its
/// caller trusts the caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    /// Host name in lower case and `xn--` form.
    host: String,
    /// As it stands in client data.
    text: String,
}

impl Origin {
    /// Reads an origin such as `https://example.com:8443`.
    ///
    /// It is secure: `https`, or `http` on `localhost` and the names below it. Its host is a name and no address.
    /// Unicode is turned into `xn--` form, and a default port is left out, as browsers do.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::Malformed)?;
        let secure = match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => true,
            ("http", Some(host)) => host == "localhost" || host.ends_with(".localhost"),
            _ => false,
        };
        if !secure {
            return Err(OriginError::NotSecure);
        }
        let Some(Host::Domain(host)) = url.host() else { return Err(OriginError::NotADomain) };
        if !is_host_name(host) {
            return Err(OriginError::NotADomain);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::NotAlone);
        }
        Ok(Self { host: host.to_owned(), text: url.origin().ascii_serialization() })
    }

    /// The origin as it stands in client data.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host name, in lower case and `xn--` form.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The relying party that is asked about: the one that the options name, or else the host itself.
    ///
    /// A site may name its own host, or a host above it that is not a public suffix (the HTML standard's "registrable
    /// domain suffix of or equal to").
    pub(super) fn relying_party(&self, asked: Option<&str>) -> Result<String, OptionsError> {
        let Some(rp_id) = asked else { return Ok(self.host.clone()) };
        let normal = matches!(Host::parse(rp_id), Ok(Host::Domain(host)) if host == rp_id);
        if !normal || !is_host_name(rp_id) {
            return Err(OptionsError::NotAHost { rp_id: rp_id.to_owned() });
        }
        if rp_id == self.host {
            return Ok(rp_id.to_owned());
        }
        if !self.host.strip_suffix(rp_id).is_some_and(|below| below.ends_with('.')) {
            return Err(OptionsError::ForeignRelyingParty {
                origin: self.text.clone(),
                rp_id: rp_id.to_owned(),
            });
        }
        // Both end the host at a dot, so the longer one has more labels.
        if rp_id.len() <= public_suffix(&self.host).len() || public_suffix(rp_id) == rp_id {
            return Err(OptionsError::PublicSuffix { rp_id: rp_id.to_owned() });
        }
        Ok(rp_id.to_owned())
    }
}

/// Whether a parsed host has no empty label, which a final dot makes too, and only characters of names: URLs allow more,
/// quotes for example.
fn is_host_name(host: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    host.split('.').all(|label| !label.is_empty() && label.bytes().all(of_names))
}

/// The part of a host under which anybody can register names. Of unknown top-level domains it is the last label.
fn public_suffix(host: &str) -> &str {
    psl::suffix_str(host).unwrap_or(host)
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn origins_are_what_browsers_write() {
        for (text, written) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com/", "https://example.com"),
            ("HTTPS://Example.COM:443", "https://example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://app.localhost", "http://app.localhost"),
            ("https://localhost", "https://localhost"),
        ] {
            assert_eq!(origin(text).as_str(), written);
        }
    }

    #[test]
    fn what_is_no_origin_of_passkeys_is_told() {
        use OriginError::*;
        for (text, error) in [
            ("", Malformed),
            ("example.com", Malformed),
            ("https://", Malformed),
            ("https://exa mple.com", Malformed),
            ("https://example.com:99999", Malformed),
            ("http://example.com", NotSecure),
            ("http://localhost.example.com", NotSecure),
            ("http://notlocalhost", NotSecure),
            ("http://127.0.0.1", NotSecure),
            ("ftp://example.com", NotSecure),
            ("file:///etc/passwd", NotSecure),
            ("android:apk-key-hash:abc", NotSecure),
            ("https://192.0.2.1", NotADomain),
            ("https://0x7f.1", NotADomain),
            ("https://[::1]:8443", NotADomain),
            ("https://example.com.", NotADomain),
            ("https://a..example", NotADomain),
            ("https://a\"b.example", NotADomain),
            ("https://a'b.example", NotADomain),
            ("https://{a}.example", NotADomain),
            ("https://example.com/login", NotAlone),
            ("https://example.com?", NotAlone),
            ("https://example.com#", NotAlone),
            ("https://ada@example.com", NotAlone),
            ("https://:secret@example.com", NotAlone),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_site_may_ask_for_itself_and_for_hosts_above() {
        for (site, rp_id) in [
            ("https://example.com", "example.com"),
            ("https://www.example.com", "example.com"),
            ("https://a.b.example.co.uk:8443", "example.co.uk"),
            ("https://a.b.example.co.uk", "b.example.co.uk"),
            ("https://ada.github.io", "ada.github.io"),
            ("https://www.ada.github.io", "ada.github.io"),
            // Nobody but the host itself is concerned.
            ("https://github.io", "github.io"),
            ("http://localhost:3000", "localhost"),
            ("https://www.bücher.example", "xn--bcher-kva.example"),
            ("https://shop.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
            // *.ck, but not www.ck, is for registrations.
            ("https://a.www.ck", "www.ck"),
            // No list knows this top-level domain.
            ("https://www.site.internal-net", "site.internal-net"),
        ] {
            assert_eq!(origin(site).relying_party(Some(rp_id)).unwrap(), rp_id, "{site}");
        }
        assert_eq!(origin("https://www.example.com:1").relying_party(None).unwrap(), "www.example.com");
    }

    #[test]
    fn a_public_suffix_is_no_relying_party() {
        for (site, rp_id) in [
            ("https://example.com", "com"),
            ("https://example.co.uk", "co.uk"),
            ("https://example.co.uk", "uk"),
            ("https://ada.github.io", "github.io"),
            ("https://ada.github.io", "io"),
            ("https://a.foo.ck", "foo.ck"),
            ("https://a.foo.ck", "ck"),
            ("https://shop.xn--85x722f.xn--55qx5d.cn", "xn--55qx5d.cn"),
            ("https://site.internal-net", "internal-net"),
            ("http://app.localhost", "localhost"),
        ] {
            let error = origin(site).relying_party(Some(rp_id)).unwrap_err();
            assert!(matches!(error, OptionsError::PublicSuffix { .. }), "{site} for {rp_id}: {error}");
        }
    }

    #[test]
    fn other_sites_are_foreign() {
        for (site, rp_id) in [
            ("https://example.com", "www.example.com"),
            ("https://notexample.com", "example.com"),
            ("https://example.com", "bank.example"),
            ("https://example.com.evil.example", "example.com"),
            ("https://ada.github.io", "eve.github.io"),
            ("https://example.com", "e"),
        ] {
            let error = origin(site).relying_party(Some(rp_id)).unwrap_err();
            assert!(matches!(error, OptionsError::ForeignRelyingParty { .. }), "{site} for {rp_id}: {error}");
        }
    }

    #[test]
    fn a_relying_party_is_a_host_name_in_normal_form() {
        for rp_id in [
            "",
            ".",
            ".com",
            "example.com.",
            ".example.com",
            "Example.com",
            "https://example.com",
            "example.com:443",
            "example.com/",
            "bücher.example",
            "192.0.2.1",
            "[::1]",
            "exa mple.com",
            "example.com\0",
        ] {
            let error = origin("https://www.example.com").relying_party(Some(rp_id)).unwrap_err();
            assert!(matches!(error, OptionsError::NotAHost { .. }), "{rp_id:?}: {error}");
        }
    }
}
