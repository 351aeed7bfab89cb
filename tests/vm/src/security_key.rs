//! The virtual security key on the kernel's own `/dev/uhid`, used by programs of others, which also verify. The phone's
//! program is at the other Bluetooth controller.

use hybridge_radio_conformance::table::{Failure, Table};

use crate::key::Key;
use crate::libfido2::{self, Passkey};
use crate::tool::run as run_tool;
use crate::website::Website;
use crate::{disturbances, helper, ssh};

/// Programs of people who know nothing of phones.
pub(crate) async fn run(website: &mut Website, user: &str) -> Result<[Table; 3], Failure> {
    let mut table = Table::new("security key", 8);
    let elsewhere = libfido2::made_elsewhere(website, user).await?;
    let mut key = Key::start().await?;
    let device = libfido2::only_device().await?;
    let (key, device) = (&mut key, device.as_str());
    let found = async { libfido2::find().await.map(drop) };
    table.case("fido2-token finds it and knows what it is", found).await;
    table.case("fido2-assert signs in and verifies", elsewhere.works(key, device)).await;
    let mut made = None;
    let registered = async {
        made = Some(libfido2::register(key, device).await?);
        Ok(())
    };
    table.case("fido2-cred registers and verifies", registered).await;
    let passkey = made.unwrap_or(elsewhere);
    table.case("fido2-assert signs in with that", passkey.works(key, device)).await;
    table.case("libfido2: the right one last of 40", long_list(key, device, &passkey)).await;
    table.case("python-fido2 registers, and signs in of 100", python(key)).await;
    table.case("ssh-keygen -t ecdsa-sk", ssh::make_key(key)).await;
    table.case("ssh logs in, and sshd verifies", ssh::log_in(key)).await;
    let disturbed = disturbed(key, device, &passkey).await?;
    Ok([table, disturbed, helper::run(&passkey).await?])
}

async fn long_list(key: &mut Key, device: &str, passkey: &Passkey) -> Result<(), Failure> {
    let arguments = ["/lib/suite/long_list.py", device, &passkey.id, passkey.rp_id, passkey.file];
    key.serve(1, run_tool("python3", &arguments, &[])).await.map(drop)
}

async fn python(key: &mut Key) -> Result<(), Failure> {
    key.serve(2, run_tool("python3", &["/lib/suite/registration.py"], &[])).await.map(drop)
}

/// What goes wrong. The key is gone afterwards.
async fn disturbed(key: &mut Key, device: &str, passkey: &Passkey) -> Result<Table, Failure> {
    let mut table = Table::new("security key, disturbed", 5);
    table.case("window closed while the phone asks", disturbances::window_closed(key, device)).await;
    let killed = disturbances::program_killed(key, device, passkey);
    table.case("program killed while the phone asks", killed).await;
    table.case("two programs at once", disturbances::two_programs(key, device, passkey)).await;
    table.case("key killed while a program waits", disturbances::key_killed(key, device, passkey)).await;
    table.case("the next key signs in", next_key(passkey)).await;
    Ok(table)
}

async fn next_key(passkey: &Passkey) -> Result<(), Failure> {
    let mut key = Key::start().await?;
    let device = libfido2::only_device().await?;
    passkey.works(&mut key, &device).await
}
