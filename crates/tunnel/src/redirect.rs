//! Where a redirect leads, and whether to go there.

use url::Url;

use crate::error::RedirectRefused;

/// Whether a status is a redirect that keeps the method of a GET request.
pub(crate) const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The target of a redirect, relative to the URL that answered; always `wss`.
///
/// # Errors
/// [`RedirectRefused`] when it is not a URL, not `wss` or `https`, or holds a user name.
pub(crate) fn target(current: &Url, location: &str) -> Result<Url, RedirectRefused> {
    let mut target = current.join(location).map_err(|_| RedirectRefused::Malformed)?;
    match target.scheme() {
        "wss" => {}
        "https" => target.set_scheme("wss").map_err(|()| RedirectRefused::NotSecure)?,
        _ => return Err(RedirectRefused::NotSecure),
    }
    if !target.username().is_empty() || target.password().is_some() {
        return Err(RedirectRefused::Malformed);
    }
    target.set_fragment(None);
    Ok(target)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolve(location: &str) -> Result<String, RedirectRefused> {
        let current = Url::parse("wss://cable.example.com/cable/new/00").unwrap();
        target(&current, location).map(String::from)
    }

    #[test]
    fn targets_are_resolved_and_stay_secure() {
        for (location, expected) in [
            ("/other", "wss://cable.example.com/other"),
            ("01", "wss://cable.example.com/cable/new/01"),
            ("../connect/1?a=b#c", "wss://cable.example.com/cable/connect/1?a=b"),
            ("//b.example.com:8443/x", "wss://b.example.com:8443/x"),
            ("https://b.example.com/x", "wss://b.example.com/x"),
            ("HTTPS://b.example.com:443/x", "wss://b.example.com/x"),
            ("wss://b.example.com", "wss://b.example.com/"),
        ] {
            assert_eq!(resolve(location).as_deref(), Ok(expected), "{location}");
        }
    }

    #[test]
    fn others_are_refused() {
        for location in ["http://b.example.com/", "ws://b.example.com/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(resolve(location), Err(RedirectRefused::NotSecure), "{location}");
        }
        for location in
            ["https://", "https://a b/", "wss://user@b.example.com/", "https://:pw@b.example.com/"]
        {
            assert_eq!(resolve(location), Err(RedirectRefused::Malformed), "{location}");
        }
    }

    proptest! {
        #[test]
        fn any_location_is_refused_or_secure(scheme in "(https?:|wss?:|)", rest in "\\PC{0,30}") {
            if let Ok(target) = resolve(&format!("{scheme}{rest}")) {
                prop_assert!(target.starts_with("wss://"));
            }
        }
    }
}
