//! `hybridge-relay health`: asks a running service whether it is ready.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use url::Url;

use super::{args::HealthArgs, error::Error};

/// How long connecting may take, and then each read and write.
const LIMIT: Duration = Duration::from_secs(5);
/// The most bytes of an answer that are looked at.
const MAX_ANSWER: u64 = 4096;

/// Prints what the service answers; an error when that is not 200.
pub(crate) fn run(args: &HealthArgs) -> Result<(), Error> {
    let (address, path) = match &args.url {
        Some(url) => parse(url)?,
        None => {
            let loaded = args.sources().load().map_err(Error::Settings)?;
            let address = loaded.settings.admin.address().ok_or(Error::NoAdmin)?;
            (reachable(address), "/readyz".to_owned())
        }
    };
    let answer = ask(address, &path).map_err(Error::NoAnswer)?;
    let said = answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim();
    if answer.starts_with("HTTP/1.1 200 ") {
        writeln!(io::stdout().lock(), "{said}").map_err(Error::Write)
    } else {
        Err(Error::NotReady(said.chars().filter(|letter| !letter.is_control()).collect()))
    }
}

fn parse(url: &str) -> Result<(SocketAddr, String), Error> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http").ok_or(Error::HealthUrl)?;
    let port = url.port_or_known_default().ok_or(Error::HealthUrl)?;
    let host = url.host_str().ok_or(Error::HealthUrl)?.trim_matches(['[', ']']);
    let address = (host, port).to_socket_addrs().map_err(Error::NoAnswer)?.next().ok_or(Error::HealthUrl)?;
    let path = if url.path() == "/" { "/readyz" } else { url.path() };
    Ok((address, path.to_owned()))
}

/// Where a listener on this machine is reached: one on all addresses, on the loopback address.
const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut io = TcpStream::connect_timeout(&address, LIMIT)?;
    io.set_read_timeout(Some(LIMIT))?;
    io.set_write_timeout(Some(LIMIT))?;
    io.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    io.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_ask() {
        let parsed = |url| parse(url).map(|(address, path)| format!("{address}{path}"));
        assert_eq!(parsed("http://127.0.0.1:9091").unwrap(), "127.0.0.1:9091/readyz");
        assert_eq!(parsed("http://[::1]:9091/healthz").unwrap(), "[::1]:9091/healthz");
        assert!(matches!(parsed("https://127.0.0.1:9091"), Err(Error::HealthUrl)));
        assert!(matches!(parsed("9091"), Err(Error::HealthUrl)));
        let all: SocketAddr = "0.0.0.0:9091".parse().unwrap();
        assert_eq!(reachable(all).to_string(), "127.0.0.1:9091");
    }
}
