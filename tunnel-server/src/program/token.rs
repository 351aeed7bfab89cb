//! `hybridge-relay token`: tokens that an app's backend hands out.

use std::{io::Write, time::SystemTime};

use hybridge_relay::access::{HmacKeys, mint};

use super::{
    args::MintArgs,
    error::Error,
    settings::{access::read, units::Time},
};

/// Prints a token that is valid from now on.
pub(crate) fn run(args: &MintArgs, out: &mut impl Write) -> Result<(), Error> {
    let keys = read(&args.key_file, HmacKeys::parse).map_err(Error::KeyFile)?;
    let key = match &args.key {
        Some(id) => keys.get(id),
        None => keys.first(),
    };
    let key = key.ok_or(Error::NoSuchKey)?;
    let Time(lifetime) = args.lifetime;
    let expires = SystemTime::now().checked_add(lifetime).ok_or(Error::TokenLifetime)?;
    writeln!(out, "{}", mint(key, expires)).map_err(Error::Write)
}
