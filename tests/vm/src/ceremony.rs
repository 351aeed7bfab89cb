//! A ceremony: the website's options go into the laptop's program, its code into the phone's, and what it prints is
//! verified by the website.

use hybridge_radio_conformance::table::Failure;

use crate::programs::{Laptop, Phone};
use crate::service::{ADDRESS, AUTHORITY, DOMAIN};
use crate::website::Website;

/// How the two are connected.
pub(crate) enum Way {
    /// Through the tunnel service on the loopback.
    Tunnel,
    /// Over Bluetooth alone.
    L2cap,
}

impl Way {
    pub(crate) fn of_laptop(&self) -> Vec<&'static str> {
        match self {
            Self::Tunnel => vec!["--dangerous-relay-addr", ADDRESS, "--dangerous-relay-ca", AUTHORITY],
            Self::L2cap => vec!["--l2cap"],
        }
    }

    pub(crate) fn of_phone(&self) -> Vec<String> {
        let way: &[&str] = match self {
            Self::Tunnel => &["--relay-addr", ADDRESS, "--relay-ca", AUTHORITY],
            Self::L2cap => &["--l2cap"],
        };
        let domain = ["--domain-id".to_owned(), DOMAIN.get().to_string()];
        domain.into_iter().chain(way.iter().map(|&word| word.to_owned())).collect()
    }
}

/// `hybridge create` on the laptop.
pub(crate) async fn create(website: &mut Website, user: &str, way: &Way) -> Result<(), Failure> {
    let (options, pending) = website.registration(user)?;
    let laptop = Laptop::start("create", &options, way).await?;
    let printed = meet(laptop, way).await?;
    website.register(pending, &printed)
}

/// `hybridge get` on the laptop.
pub(crate) async fn get(website: &mut Website, way: &Way) -> Result<(), Failure> {
    let (options, pending) = website.sign_in()?;
    let laptop = Laptop::start("get", &options, way).await?;
    let printed = meet(laptop, way).await?;
    website.signed_in(pending, &printed)
}

/// Gives a phone the laptop's code. Both have to end well; gives what the laptop prints.
pub(crate) async fn meet(laptop: Laptop, way: &Way) -> Result<String, Failure> {
    let phone = Phone::start(laptop.code(), way).await?;
    let (printed, ended) = tokio::join!(laptop.finish(), phone.finish());
    let printed = printed?;
    ended.map(|()| printed)
}
