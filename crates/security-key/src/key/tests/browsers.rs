//! The habits of browsers, as their sources have them; the module `ctap::preflight` says where.

use super::*;
use crate::{
    MAX_LIST,
    testing::requests::{id_in_reply, ids},
};

/// Lengths of lists around pieces, and the lengths that people choose.
const LENGTHS: [usize; 12] =
    [1, 2, 20, 64, MAX_LIST - 1, MAX_LIST + 1, 100, 128, 2 * MAX_LIST - 1, 2 * MAX_LIST + 1, 200, 500];

/// Asks about a list as Firefox and python-fido2 do, and gives what was said yes to.
fn probe(bench: &mut Bench, channel: ChannelId, rp_id: &str, list: &[Vec<u8>]) -> Vec<Vec<u8>> {
    for piece in list.chunks(MAX_LIST) {
        if let Some(yes) = id_in_reply(&bench.known(channel, &get(rp_id, piece, Some(false)))) {
            return vec![yes];
        }
    }
    Vec::new()
}

/// Asks about a list as Chromium does: only if there is more than one piece. Gives the piece that was said yes to.
fn probe_pieces(bench: &mut Bench, channel: ChannelId, list: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if list.len() <= MAX_LIST {
        return list.to_vec();
    }
    let mut pieces = list.chunks(MAX_LIST);
    let yes =
        |piece: &&[Vec<u8>]| id_in_reply(&bench.known(channel, &get(SITE, piece, Some(false)))).is_some();
    pieces.find(yes).unwrap_or_default().to_vec()
}

#[test]
fn firefox_signs_in_with_the_full_list() {
    for length in LENGTHS {
        let mut bench = Bench::new();
        let channel = bench.open();
        let all = ids(length, 16);
        let filtered = probe(&mut bench, channel, SITE, &all);
        assert_eq!(filtered.len(), 1, "{length}");
        let (ticket, request) = bench.asks_phone(channel, &get(SITE, &filtered, Some(true)));
        assert_eq!(ids_in(&request.message), all, "the right one may be the last of {length}");
        bench.key.handle_phone_reply(ticket, vec![0, 0xa0], bench.now);
        assert_eq!(bench.reply(channel), [0, 0xa0]);
    }
}

#[test]
fn firefox_registers_with_the_full_exclude_list() {
    for length in LENGTHS.into_iter().chain([MAX_LIST, 2 * MAX_LIST]) {
        let mut bench = Bench::new();
        let channel = bench.open();
        let all = ids(length, 16);
        let filtered = probe(&mut bench, channel, SITE, &all);
        let (_, request) = bench.asks_phone(channel, &create_for(SITE, &filtered));
        assert_eq!(ids_in(&request.message), all, "{length}");
    }
}

#[test]
fn chromium_signs_in_and_registers_with_the_full_list() {
    for length in LENGTHS.into_iter().chain([MAX_LIST, 2 * MAX_LIST]) {
        let mut bench = Bench::new();
        let channel = bench.open();
        let all = ids(length, 16);
        let filtered = probe_pieces(&mut bench, channel, &all);
        let (ticket, request) = bench.asks_phone(channel, &create_for(SITE, &filtered));
        assert_eq!(ids_in(&request.message), all, "{length}");
        bench.key.handle_phone_reply(ticket, vec![0x19], bench.now);
        assert_eq!(bench.reply(channel), [0x19]);
        if length != 2 * MAX_LIST {
            let filtered = probe_pieces(&mut bench, channel, &all);
            let (_, request) = bench.asks_phone(channel, &get(SITE, &filtered, Some(true)));
            assert_eq!(ids_in(&request.message), all, "{length}");
        }
    }
}

#[test]
fn app_ids_are_never_known() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let all = ids(3, 64);
    assert_eq!(probe(&mut bench, channel, "https://site.example/u2f.json", &all), Vec::<Vec<u8>>::new());
    assert_eq!(bench.known(channel, &get("https://site.example/u2f.json", &all, Some(true))), [0x2e]);
    assert_eq!(probe(&mut bench, channel, "ssh:", &all), [all[0].clone()], "which is no address");
    // Another URL is a relying party's own business.
    bench.asks_phone(channel, &get("pam://host", &all, Some(true)));
}

#[test]
fn a_list_serves_one_request_of_one_program_for_one_site() {
    let all = ids(5, 16);
    let first = &all[..1];
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    assert_eq!(probe(&mut bench, one, SITE, &all), first);
    for (channel, rp_id) in [(two, SITE), (one, "other.example")] {
        let (ticket, request) = bench.asks_phone(channel, &get(rp_id, first, None));
        assert_eq!(ids_in(&request.message), first, "somebody else's list");
        bench.key.handle_phone_reply(ticket, vec![0x2e], bench.now);
        assert_eq!(bench.reply(channel), [0x2e]);
    }
    let (ticket, request) = bench.asks_phone(one, &get(SITE, first, None));
    assert_eq!(ids_in(&request.message), all);
    bench.key.handle_phone_reply(ticket, vec![0x2e], bench.now);
    bench.reply(one);
    let (_, request) = bench.asks_phone(one, &get(SITE, first, None));
    assert_eq!(ids_in(&request.message), first, "the list has been used");
}

#[test]
fn a_list_is_not_for_what_did_not_come_of_it() {
    let all = ids(5, 16);
    let stranger = vec![vec![0xee; 16]];
    for (request, list) in [
        (get(SITE, &stranger, None), stranger.clone()),
        (get(SITE, &[], None), vec![]),
        (create_for(SITE, &[]), vec![]),
        (create_for(SITE, &stranger), stranger.clone()),
    ] {
        let mut bench = Bench::new();
        let channel = bench.open();
        probe(&mut bench, channel, SITE, &all);
        let (_, request) = bench.asks_phone(channel, &request);
        assert_eq!(ids_in(&request.message), list);
    }
    let mut bench = Bench::new();
    let channel = bench.open();
    probe(&mut bench, channel, SITE, &all);
    bench.now += Duration::from_secs(30);
    let (_, request) = bench.asks_phone(channel, &get(SITE, &all[..1], None));
    assert_eq!(ids_in(&request.message), all[..1], "it is too old");
}

#[test]
fn a_second_probe_begins_a_list_of_its_own() {
    let mut bench = Bench::new();
    let channel = bench.open();
    probe(&mut bench, channel, SITE, &ids(90, 16));
    let all = ids(4, 20);
    let filtered = probe(&mut bench, channel, SITE, &all);
    let (_, request) = bench.asks_phone(channel, &get(SITE, &filtered, None));
    assert_eq!(ids_in(&request.message), all);
}

#[test]
fn firefox_is_not_asked_again_after_a_no() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let all = ids(3, 16);
    let round = |bench: &mut Bench| {
        let filtered = probe(bench, channel, SITE, &all);
        get(SITE, &filtered, Some(true))
    };
    let request = round(&mut bench);
    let (ticket, _) = bench.asks_phone(channel, &request);
    bench.key.handle_phone_reply(ticket, vec![0x27], bench.now);
    assert_eq!(bench.reply(channel), [0x27]);
    let request = round(&mut bench);
    assert_eq!(bench.known(channel, &request), [0x30], "at once, as Firefox does: no second window");
    bench.now += REPEAT;
    let request = round(&mut bench);
    let (ticket, request) = bench.asks_phone(channel, &request);
    assert_eq!(ids_in(&request.message), all);
    bench.key.handle_window_closed(ticket, bench.now);
    assert_eq!(bench.reply(channel), [0x27]);
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));
    let request = round(&mut bench);
    assert_eq!(bench.known(channel, &request), [0x30]);
    let other = bench.open();
    bench.asks_phone(other, &get(SITE, &all, None));
}

#[test]
fn memory_of_lists_is_bounded() {
    let mut bench = Bench::new();
    let channels: Vec<_> = (0..20).map(|_| bench.open()).collect();
    let all = ids(50, 90);
    for channel in &channels {
        probe(&mut bench, *channel, SITE, &all);
    }
    let (_, request) = bench.asks_phone(channels[0], &get(SITE, &all[..1], None));
    assert_eq!(ids_in(&request.message), all[..1], "the oldest is forgotten");

    let mut bench = Bench::new();
    let channel = bench.open();
    let endless = ids(60 * MAX_LIST, 60);
    for piece in endless.chunks(MAX_LIST) {
        assert_eq!(bench.known(channel, &get(SITE, piece, Some(false))), [0x2e]);
    }
    let (_, request) = bench.asks_phone(channel, &get(SITE, &endless[..1], None));
    assert!(request.message.len() < 130 * 1024);
}
