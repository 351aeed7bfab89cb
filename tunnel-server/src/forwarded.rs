//! Whom a proxy speaks for, from the headers that it adds to requests.
//!
//! Each proxy on the way adds the address it got the request from at the end, behind what a stranger may have made
//! up. So the list is read from its end, and the first address that is not itself a trusted proxy is the answer.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use thiserror::Error;

/// How trusted proxies say whom they speak for.
///
/// One header and not whichever is there: a proxy that writes the one passes on what a stranger wrote into the
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, what nearly all proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ForwardedHeader {
    /// The name of the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "X-Forwarded-For",
            Self::Forwarded => "Forwarded",
        }
    }

    /// The address that trusted proxies speak for; `values` are those of the header, in order. None where they
    /// name nobody but themselves.
    ///
    /// # Errors
    /// [`Garbled`] where something else than an address decides, or a quote has no end.
    pub fn client<'a>(
        self,
        values: impl Iterator<Item = &'a [u8]>,
        trusted: &[IpNet],
    ) -> Result<Option<IpAddr>, Garbled> {
        let mut members = Vec::new();
        for value in values {
            match self {
                // No address has a comma in it, and quotes mean nothing.
                Self::XForwardedFor => members.extend(value.split(|byte| *byte == b',')),
                Self::Forwarded => members.extend(split(value, b',').ok_or(Garbled)?),
            }
        }
        for member in members.into_iter().rev().map(<[u8]>::trim_ascii).filter(|member| !member.is_empty()) {
            let address = match self {
                Self::XForwardedFor => node(member),
                Self::Forwarded => forwarded_for(member),
            };
            let address = address.ok_or(Garbled)?;
            if !is_trusted(address, trusted) {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }
}

/// What stands in the place of an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the header has something else where an address belongs; see what the proxy writes")]
pub struct Garbled;

/// Whether an address is in one of the networks; one of IPv4 within IPv6 counts as IPv4.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// The `for` parameter of one element (RFC 7239 section 4).
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut values = split(element, b';')?.into_iter().filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(at)?;
        name.trim_ascii()
            .eq_ignore_ascii_case(b"for")
            .then(|| value.get(1..).unwrap_or_default().trim_ascii())
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    // No address needs a backslash within its quotes.
    node(value.strip_prefix(b"\"").map_or(Some(value), |value| value.strip_suffix(b"\""))?)
}

/// An address, with a port or without; one of IPv6 in brackets or without.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = text.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.or_else(|| bracketed().map(IpAddr::from)).map(|address: IpAddr| address.to_canonical())
}

/// The members of a list; separators within quotes belong to a member. None where a quote has no end.
fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut quoted, mut escaped) = (false, false);
    let members = text.split(|byte| {
        let ends = *byte == separator && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        ends
    });
    let members = members.collect();
    (!quoted).then_some(members)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn trusted() -> Vec<IpNet> {
        ["10.0.0.0/8", "2001:db8:aa::/48"].map(|network| network.parse().unwrap()).into()
    }

    fn client(header: ForwardedHeader, values: &[&str]) -> Result<Option<IpAddr>, Garbled> {
        header.client(values.iter().map(|value| value.as_bytes()), &trusted())
    }

    fn found(address: &str) -> Result<Option<IpAddr>, Garbled> {
        Ok(Some(address.parse().unwrap()))
    }

    #[test]
    fn the_last_untrusted_address_of_x_forwarded_for_counts() {
        for (values, expected) in [
            (&["192.0.2.1"][..], found("192.0.2.1")),
            (&["198.51.100.7, 192.0.2.1"], found("192.0.2.1")),
            (&["198.51.100.7, 192.0.2.1 ,10.1.2.3", "10.0.0.1"], found("192.0.2.1")),
            (&["\"garbage, 192.0.2.1, 10.1.2.3"], found("192.0.2.1")),
            (&["2001:db8::1"], found("2001:db8::1")),
            (&["2001:db8::1, 2001:db8:aa::5"], found("2001:db8::1")),
            (&["::ffff:192.0.2.1, ::ffff:10.0.0.1"], found("192.0.2.1")),
            (&["192.0.2.1:4711"], found("192.0.2.1")),
            (&["[2001:db8::1]:4711"], found("2001:db8::1")),
            (&["[2001:db8::1]"], found("2001:db8::1")),
            (&["192.0.2.1, ,"], found("192.0.2.1")),
            (&["10.0.0.1, 10.0.0.2"], Ok(None)),
            (&["192.0.2.1, unknown"], Err(Garbled)),
            (&["192.0.2.1, 10.0.0.300"], Err(Garbled)),
            (&["192.0.2.1, \"10.0.0.1"], Err(Garbled)),
            (&[""], Ok(None)),
            (&[], Ok(None)),
        ] {
            assert_eq!(client(ForwardedHeader::XForwardedFor, values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_last_untrusted_for_of_forwarded_counts() {
        for (values, expected) in [
            (&["for=192.0.2.1"][..], found("192.0.2.1")),
            (&["For=192.0.2.1;proto=https;by=10.0.0.1"], found("192.0.2.1")),
            (&["for=198.51.100.7, for=192.0.2.1", "by=x;for=10.0.0.1"], found("192.0.2.1")),
            (&["for=\"[2001:db8::1]:4711\""], found("2001:db8::1")),
            (&["for=192.0.2.9, for=\"192.0.2.1:80\";host=\"a,b;for=198.51.100.7\""], found("192.0.2.1")),
            (&["for=192.0.2.1;ext=\"a\\\",for=198.51.100.7\""], found("192.0.2.1")),
            (&["for=10.0.0.1"], Ok(None)),
            (&["for=192.0.2.1, for=unknown"], Err(Garbled)),
            (&["for=192.0.2.1, for=_hidden"], Err(Garbled)),
            (&["for=192.0.2.1, proto=https"], Err(Garbled)),
            (&["for=192.0.2.1;for=192.0.2.2"], Err(Garbled)),
            (&["for=192.0.2.1;host=\"unfinished"], Err(Garbled)),
            (&["192.0.2.1"], Err(Garbled)),
        ] {
            assert_eq!(client(ForwardedHeader::Forwarded, values), expected, "{values:?}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = select(
            &["for=", "10.0.0.1", "192.0.2.1", ",", ";", "\"", "\\", "[", "]", "::1", ":80", " ", "é", "x"][..],
        );
        vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Whatever a stranger sends, what the proxy adds decides.
        #[test]
        fn a_stranger_cannot_choose_the_address(made_up in vec(any::<u8>(), 0..40), text in pieces()) {
            for made_up in [made_up.as_slice(), text.as_bytes()] {
                let both = [made_up, b", 192.0.2.77"].concat();
                for values in [vec![made_up, b"192.0.2.77"], vec![&both]] {
                    let answer = ForwardedHeader::XForwardedFor.client(values.into_iter(), &trusted());
                    prop_assert_eq!(answer, found("192.0.2.77"));
                }
                // Quotes can swallow what the proxy added to the same line, but name nobody else.
                let both = [made_up, b", for=192.0.2.77"].concat();
                let answer = ForwardedHeader::Forwarded.client([both.as_slice()].into_iter(), &trusted());
                prop_assert!(answer == found("192.0.2.77") || (answer == Err(Garbled) && made_up.contains(&b'"')));
            }
        }

        #[test]
        fn a_trusted_proxy_is_never_the_answer(values in vec(pieces(), 0..4)) {
            for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
                let answer = header.client(values.iter().map(|value| value.as_bytes()), &trusted());
                prop_assert!(!matches!(answer, Ok(Some(address)) if is_trusted(address, &trusted())));
            }
        }
    }
}
