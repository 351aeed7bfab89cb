//! CTAP commands in canonical form: a command byte and a map.

use core::convert::Infallible;

use minicbor::{Encoder, encode};

use super::options::{PUBLIC_KEY, User};

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

type Writer = Encoder<Vec<u8>>;
type Written = Result<(), encode::Error<Infallible>>;

/// What makes a passkey. Algorithms are those of COSE, the most wanted first.
pub(super) struct MakeCredential<'a> {
    pub(super) client_data_hash: &'a [u8; 32],
    pub(super) rp_id: &'a str,
    pub(super) rp_name: &'a str,
    pub(super) user: &'a User,
    pub(super) algorithms: &'a [i64],
    pub(super) excluded: Vec<&'a [u8]>,
    pub(super) discoverable: bool,
    pub(super) verify_user: bool,
}

/// What asks for a signature.
pub(super) struct GetAssertion<'a> {
    pub(super) client_data_hash: &'a [u8; 32],
    pub(super) rp_id: &'a str,
    pub(super) allowed: &'a [Vec<u8>],
    pub(super) verify_user: bool,
}

impl MakeCredential<'_> {
    /// Lists that are empty and options that are off are left out.
    pub(super) fn encode(&self) -> Vec<u8> {
        let options = u64::from(self.discoverable) + u64::from(self.verify_user);
        let members = 4 + u64::from(!self.excluded.is_empty()) + u64::from(options > 0);
        command(MAKE_CREDENTIAL, |map| {
            map.map(members)?.u8(1)?.bytes(self.client_data_hash)?;
            map.u8(2)?.map(2)?.str("id")?.str(self.rp_id)?.str("name")?.str(self.rp_name)?;
            map.u8(3)?.map(3)?.str("id")?.bytes(&self.user.id.0)?.str("name")?.str(&self.user.name)?;
            map.str("displayName")?.str(&self.user.display_name)?;
            map.u8(4)?.array(self.algorithms.iter().map(|_| 1).sum())?;
            for algorithm in self.algorithms {
                map.map(2)?.str("alg")?.i64(*algorithm)?.str("type")?.str(PUBLIC_KEY)?;
            }
            credentials(map, 5, &self.excluded)?;
            if options > 0 {
                map.u8(7)?.map(options)?;
            }
            option(map, "rk", self.discoverable)?;
            option(map, "uv", self.verify_user)
        })
    }
}

impl GetAssertion<'_> {
    /// Lists that are empty and options that are off are left out.
    pub(super) fn encode(&self) -> Vec<u8> {
        let members = 2 + u64::from(!self.allowed.is_empty()) + u64::from(self.verify_user);
        command(GET_ASSERTION, |map| {
            map.map(members)?.u8(1)?.str(self.rp_id)?.u8(2)?.bytes(self.client_data_hash)?;
            credentials(map, 3, self.allowed)?;
            if self.verify_user {
                map.u8(5)?.map(1)?;
            }
            option(map, "uv", self.verify_user)
        })
    }
}

fn command(byte: u8, write: impl FnOnce(&mut Writer) -> Written) -> Vec<u8> {
    let mut writer = Encoder::new(vec![byte]);
    // Writing to a vector cannot fail, so the result says nothing.
    let _ = write(&mut writer);
    writer.into_writer()
}

/// A member with a list of credentials, unless it would be empty.
fn credentials(map: &mut Writer, key: u8, ids: &[impl AsRef<[u8]>]) -> Written {
    if ids.is_empty() {
        return Ok(());
    }
    map.u8(key)?.array(ids.iter().map(|_| 1).sum())?;
    for id in ids {
        map.map(2)?.str("id")?.bytes(id.as_ref())?.str("type")?.str(PUBLIC_KEY)?;
    }
    Ok(())
}

fn option(map: &mut Writer, name: &str, on: bool) -> Written {
    if on {
        map.str(name)?.bool(true)?;
    }
    Ok(())
}
