//! Probing: requests that need no person, by which programs find out which passkeys of a list a device has (CTAP 2.1
//! section 6.1.3, "pre-flight").
//!
//! The phone cannot be asked without its owner, so the device says yes, and remembers what it was asked about. A program
//! then sends its real request with only what was said yes to, and the phone gets the full list.
//!
//! # What programs do
//!
//! * Firefox, by authenticator-rs (`src/ctap2/preflight.rs`, `do_credential_list_filtering_ctap2`): every allow and
//!   exclude list, in pieces of `maxCredentialCountInList`, without IDs above `maxCredentialIdLength`. It stops at the first
//!   piece with a yes and sends the real request with only the descriptors that were answered. If none was, it makes the
//!   passkey with an empty list, or asks for a touch and gives up the sign-in. The AppID of the `appid` extension is probed
//!   first and used in place of the relying party if there is a yes (`src/ctap2/mod.rs`, `sign`).
//! * Chromium (`device/fido/make_credential_task.cc`, `get_assertion_task.cc`): only lists of more than one piece. It stops
//!   at the first piece with a yes and sends the real request with that piece; if there was none, it makes the passkey with
//!   an empty list. `appidExclude` is probed under the AppID, and a yes is the end (`appid_exclude_probe_task.cc`).
//! * python-fido2 (`fido2/client`, `_filter_creds`): as Firefox. libfido2: nothing; `ssh` probes for a single ID.
//!
//! So a full piece, behind which there may be another, is answered with no, and the last one with yes: then the whole list
//! has been seen. A yes under an AppID would lead into a registration that is refused or a sign-in that the phone cannot
//! know, and is never given.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    descriptor::Descriptor,
    info::MAX_LIST,
    map,
    request::{Operation, Request},
    status::StatusCode,
};
use crate::hid::ChannelId;

/// How long a list is remembered after the last question about it. Programs go on at once.
const LIFETIME: Duration = Duration::from_secs(30);
/// How many lists are remembered.
const MAX_LISTS: usize = 8;
/// How many bytes a list has at most; longer ones are remembered up to there.
const MAX_BYTES: usize = 128 * 1024;
/// Bytes of authenticator data without a passkey: a hash, flags, a counter.
const AUTHENTICATOR_DATA: usize = 37;

/// The lists that programs have asked about.
#[derive(Default)]
pub(crate) struct Probed(VecDeque<List>);

struct List {
    channel: ChannelId,
    rp_id: String,
    descriptors: Vec<Descriptor>,
    /// Whether the last question was answered with yes, so that the list is complete.
    complete: bool,
    until: Instant,
}

impl Probed {
    /// Answers a request that needs no person, and remembers its list.
    pub(crate) fn answer(
        &mut self,
        channel: ChannelId,
        request: Request,
        hash: &[u8; 32],
        now: Instant,
    ) -> Vec<u8> {
        let piece = request.list;
        let full = piece.len() >= MAX_LIST;
        let mut list = match self.take(channel, &request.rp_id, now) {
            Some(list) if !list.complete => list.descriptors,
            _ => Vec::new(),
        };
        let reply = piece.first().filter(|_| !full).map(|first| found(first, hash));
        if !piece.is_empty() {
            add(&mut list, piece);
            let list = List {
                channel,
                rp_id: request.rp_id,
                descriptors: list,
                complete: reply.is_some(),
                until: now + LIFETIME,
            };
            self.0.push_back(list);
            if self.0.len() > MAX_LISTS {
                self.0.pop_front();
            }
        }
        reply.unwrap_or_else(|| StatusCode::NO_CREDENTIALS.alone())
    }

    /// The list that a real request is about: the one that the program probed, if what it asks for now came out of that,
    /// or its own. What was probed is forgotten.
    pub(crate) fn full_list(
        &mut self,
        channel: ChannelId,
        request: &Request,
        now: Instant,
    ) -> Vec<Descriptor> {
        let own = &request.list;
        let Some(list) = self.take(channel, &request.rp_id, now) else { return own.clone() };
        let comes_of_it = own.iter().all(|wanted| list.descriptors.iter().any(|known| known.id == wanted.id));
        // An empty list is what remains of an exclude list when every answer was no.
        let remains = !own.is_empty() || (request.operation == Operation::Create && !list.complete);
        if comes_of_it && remains { list.descriptors } else { own.clone() }
    }

    fn take(&mut self, channel: ChannelId, rp_id: &str, now: Instant) -> Option<List> {
        self.0.retain(|list| now < list.until);
        let index = self.0.iter().position(|list| list.channel == channel && list.rp_id == rp_id)?;
        self.0.remove(index)
    }
}

/// Adds what is not there yet.
fn add(list: &mut Vec<Descriptor>, piece: Vec<Descriptor>) {
    for descriptor in piece {
        let bytes: usize = list.iter().map(Descriptor::size).sum();
        let known = list.iter().any(|known| known.id == descriptor.id);
        if !known && bytes.saturating_add(descriptor.size()) <= MAX_BYTES {
            list.push(descriptor);
        }
    }
}

/// A yes: the passkey, authenticator data that says that nobody was there, and a signature that is none. A single byte is
/// no signature of any algorithm, so nothing can take it for one.
fn found(descriptor: &Descriptor, rp_id_hash: &[u8; 32]) -> Vec<u8> {
    let mut data = rp_id_hash.to_vec();
    data.resize(AUTHENTICATOR_DATA, 0);
    let mut reply = StatusCode::SUCCESS.alone();
    reply.extend(map::write(|map| map.map(3)?.u8(1).map(drop)));
    reply.extend(descriptor.in_reply());
    reply.extend(map::write(|map| map.u8(2)?.bytes(&data)?.u8(3)?.bytes(&[0]).map(drop)));
    reply
}
