//! Every message of three ceremonies, and every single fault.
//!
//! `single_faults.txt` is the table of what becomes of each. A change in the machines that changes it is to be looked
//! at line by line; `UPDATE_TABLES=1 cargo test -p hybridge-proto --test pair single` writes it anew.

use core::fmt::Write as _;
use std::{env, fs, path::Path};

use hybridge_proto::packets::Framing;

use super::sim::{Fault, Plan, Point, Settings, World};

/// The ceremonies: over the tunnel, over BLE in both forms, and with a remembered phone.
fn ceremonies() -> [(&'static str, Settings); 4] {
    let tunnel = Settings { accept_linking: true, offer_linking: true, ..Settings::standard(1) };
    let ble = Settings { laptop_l2cap: true, phone_l2cap: true, ..Settings::standard(2) };
    let lengths = Settings { framing: Framing::Length, ..ble.clone() };
    [
        ("scanned code, tunnel", tunnel),
        ("scanned code, BLE", ble),
        ("scanned code, BLE with lengths", lengths),
        ("remembered phone", Settings::call(3)),
    ]
}

/// Every point of a ceremony, as often as it is passed.
fn passes(settings: &Settings) -> Vec<(Point, usize)> {
    let mut clean = World::new(settings.clone(), Plan::Clean);
    clean.run();
    assert!(clean.succeeded(), "{}", clean.trace);
    let of = |point: Point| (0..clean.passes(point)).map(move |index| (point, index));
    Point::ALL.into_iter().flat_map(of).collect()
}

fn run(settings: &Settings, point: Point, index: usize, fault: Fault) -> World {
    let mut world = World::new(settings.clone(), Plan::Once { point, index, fault });
    world.run();
    assert_eq!(world.faults_struck(), 1);
    world
}

/// What became of a run, in a line.
fn summary(world: &World) -> String {
    let outcome = world.outcome();
    let end = |end: Option<Result<(), String>>| match end {
        Some(Ok(())) => "finished".to_owned(),
        Some(Err(error)) => error,
        None => "never ended".to_owned(),
    };
    let laptop = end(outcome.laptop.map(|end| end.map_err(|error| format!("{error:?}"))));
    let phone =
        |phone: &Option<Result<(), _>>| end(phone.map(|end| end.map_err(|error| format!("{error:?}"))));
    let phones: Vec<_> = outcome.phones.iter().map(phone).collect();
    let phones = if phones.is_empty() { "not rung".to_owned() } else { phones.join(", then ") };
    format!("laptop {laptop} with {} replies; phone {phones}", outcome.replies)
}

/// The faults of one pass, those with the same outcome together.
fn rows(table: &mut String, settings: &Settings, point: Point, index: usize) {
    let mut rows: Vec<(String, Vec<Fault>)> = Vec::new();
    for fault in point.faults() {
        let summary = summary(&run(settings, point, index, *fault));
        match rows.iter_mut().find(|row| row.0 == summary) {
            Some(row) => row.1.push(*fault),
            None => rows.push((summary, vec![*fault])),
        }
    }
    for (summary, faults) in rows {
        let _ = writeln!(table, "  {faults:?}\n    {summary}");
    }
}

#[test]
fn every_single_fault_has_its_outcome() {
    let mut table = String::new();
    for (name, settings) in ceremonies() {
        let _ = writeln!(table, "# {name}");
        for (point, index) in passes(&settings) {
            let _ = writeln!(table, "{point:?} {index}");
            rows(&mut table, &settings, point, index);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pair/single_faults.txt");
    if env::var_os("UPDATE_TABLES").is_some() {
        fs::write(path, &table).expect("a writable checkout");
        return;
    }
    let expected = fs::read_to_string(path).expect("the table");
    for (number, (line, expected)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "line {} of the table", number + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

/// Whatever single thing keeps a handshake from coming about, its owner only has to scan the code that is then shown.
#[test]
fn a_fault_before_the_handshake_is_cured_by_another_scan() {
    let [tunnel, ble, lengths, _] = ceremonies();
    for (_, settings) in [tunnel, ble, lengths] {
        let settings = Settings { scans: 3, ..settings };
        for (point, index) in passes(&settings) {
            let handshake = matches!(point, Point::ToPhone | Point::ToLaptop) && index == 0;
            let before =
                matches!(point, Point::Advert | Point::PhoneOpens | Point::LaptopOpens | Point::Listens);
            for fault in point.faults() {
                // One message too many is a broken frame once the handshake is finished.
                let adds = matches!(fault, Fault::Duplicate | Fault::Replay | Fault::Reflect);
                if before || (handshake && !adds) {
                    let world = run(&settings, point, index, *fault);
                    assert!(world.succeeded(), "{point:?} {index} {fault:?}\n{}", world.trace);
                }
            }
        }
    }
}
