//! Random goings-on in an air, compared with what may happen at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hybridge_ble::sim::{
    Adapter, AdvertId, Air, AirOptions, RangeGroup, ScanId, SimAdvert, SimDevice, SimScan, TraceEvent,
    TraceKind,
};
use hybridge_ble::{
    Advertisement, Advertiser, DeviceAddress, PayloadLimit, Scan, Scanner, ServiceUuid, Sighting,
};
use proptest::prelude::*;
use tokio::time::{sleep, timeout};

use crate::{ms, options, probability};

const DEVICES: usize = 4;
const PLACES: [&str; 3] = ["desk", "hall", "street"];

/// One thing that a program does. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Advertise { device: usize, length: usize, google: bool },
    Withdraw(usize),
    Scan(usize),
    EndScan(usize),
    Listen { scan: usize, time: u64 },
    Wait(u64),
    Move { device: usize, places: usize },
    Adapter { device: usize, working: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..DEVICES, 0..30_usize, any::<bool>()).prop_map(|(device, length, google)| Step::Advertise {
            device,
            length,
            google
        }),
        (0..8_usize).prop_map(Step::Withdraw),
        (0..DEVICES).prop_map(Step::Scan),
        (0..8_usize).prop_map(Step::EndScan),
        (0..8_usize, 0..500_u64).prop_map(|(scan, time)| Step::Listen { scan, time }),
        (0..2_000_u64).prop_map(Step::Wait),
        (0..DEVICES, 0..8_usize).prop_map(|(device, places)| Step::Move { device, places }),
        (0..DEVICES, any::<bool>()).prop_map(|(device, working)| Step::Adapter { device, working }),
    ]
}

fn weather() -> impl Strategy<Value = AirOptions> {
    let chance = || prop_oneof![Just(0.0), 0.0..1.0_f64, Just(1.0)];
    (chance(), chance(), chance(), 0..300_u64, 0..300_u64).prop_map(
        |(loss, duplication, stale, delay, jitter)| {
            options(|o| {
                o.loss = probability(loss);
                o.duplication = probability(duplication);
                o.stale = probability(stale);
                (o.delay, o.jitter) = (ms(delay), ms(jitter));
            })
        },
    )
}

/// A program that carries out steps, and what it experienced.
struct Program {
    air: Air,
    devices: Vec<SimDevice>,
    adverts: Vec<SimAdvert>,
    scans: Vec<SimScan>,
    sent: BTreeMap<AdvertId, Advertisement>,
    heard: Vec<(ScanId, Sighting)>,
}

impl Program {
    fn new(seed: u64, options: &AirOptions) -> Self {
        let air = Air::with_options(seed, options);
        let devices =
            (0..DEVICES).map(|number| air.device_in(format!("device {number}"), ["desk"])).collect();
        Self {
            air,
            devices,
            adverts: Vec::new(),
            scans: Vec::new(),
            sent: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    async fn carry_out(&mut self, step: Step) {
        match step {
            Step::Advertise { device, length, google } => {
                let uuid = if google { ServiceUuid::Google } else { ServiceUuid::Fido };
                let fill = u8::try_from(self.sent.len() % 256).unwrap();
                let advert = Advertisement::new(uuid, vec![fill; length]);
                let result = self.devices[device].advertise(advert.clone()).await;
                assert!(result.is_err() || length <= PayloadLimit::LEGACY.service_data());
                if let Ok(handle) = result {
                    self.sent.insert(handle.id(), advert);
                    self.adverts.push(handle);
                }
            }
            Step::Withdraw(index) if !self.adverts.is_empty() => {
                drop(self.adverts.swap_remove(index % self.adverts.len()));
            }
            Step::Scan(device) => self.scans.extend(self.devices[device].scan().await),
            Step::EndScan(index) if !self.scans.is_empty() => {
                drop(self.scans.swap_remove(index % self.scans.len()));
            }
            Step::Listen { scan, time } if !self.scans.is_empty() => {
                let index = scan % self.scans.len();
                let scan = &mut self.scans[index];
                while let Ok(Ok(sighting)) = timeout(ms(time), scan.next()).await {
                    self.heard.push((scan.id(), sighting));
                    if self.heard.len().is_multiple_of(16) {
                        break;
                    }
                }
            }
            Step::Wait(time) => sleep(ms(time)).await,
            Step::Move { device, places } => {
                let chosen = PLACES.iter().enumerate().filter(|(bit, _)| places >> bit & 1 == 1);
                self.devices[device].move_to(chosen.map(|(_, place)| *place));
            }
            Step::Adapter { device, working } => {
                let adapter = if working { Adapter::Working } else { Adapter::PoweredOff };
                self.devices[device].set_adapter(adapter);
            }
            Step::Withdraw(_) | Step::EndScan(_) | Step::Listen { .. } => {}
        }
    }
}

/// What may be heard, as far as the trace tells.
#[derive(Default)]
struct Model {
    time: Duration,
    places: BTreeMap<String, BTreeSet<RangeGroup>>,
    adverts: BTreeMap<AdvertId, (String, DeviceAddress)>,
    live: BTreeSet<AdvertId>,
    scans: BTreeMap<ScanId, String>,
    /// Which adverts were on the air in range of which scan at some time.
    within_reach: BTreeSet<(ScanId, AdvertId)>,
    /// Which adverts each device may remember.
    remembered: BTreeSet<(String, AdvertId)>,
    heard: Vec<(ScanId, AdvertId)>,
}

impl Model {
    fn follow(&mut self, event: &TraceEvent) {
        assert!(event.at >= self.time, "time runs forwards");
        self.time = event.at;
        let device = event.device.to_string();
        match &event.kind {
            TraceKind::AdvertStarted { advert, address, .. } => {
                let fresh = self.adverts.values().all(|(_, known)| known != address);
                assert!(fresh, "an address twice");
                self.adverts.insert(*advert, (device, *address));
                self.live.insert(*advert);
            }
            TraceKind::AdvertEnded { advert } => assert!(self.live.remove(advert), "ended twice"),
            TraceKind::ScanStarted { scan } => assert!(self.scans.insert(*scan, device).is_none()),
            TraceKind::ScanEnded { scan } => assert!(self.scans.remove(scan).is_some(), "ended twice"),
            TraceKind::Moved { groups } => {
                self.places.insert(device, groups.iter().cloned().collect());
            }
            TraceKind::Heard { scan, advert, from, arrival } => {
                assert_eq!(self.scans.get(scan), Some(&device));
                assert_eq!(self.adverts[advert].0, **from);
                let stale = *arrival == hybridge_ble::sim::Arrival::Stale;
                let allowed = if stale {
                    self.remembered.contains(&(device.clone(), *advert))
                } else {
                    self.within_reach.contains(&(*scan, *advert))
                };
                assert!(allowed, "{event}");
                self.remembered.insert((device, *advert));
                self.heard.push((*scan, *advert));
            }
            TraceKind::Lost { scan, advert, .. } => {
                assert!(self.live.contains(advert) && self.within_reach.contains(&(*scan, *advert)));
            }
            _ => {}
        }
        self.note_reach();
    }

    fn note_reach(&mut self) {
        for (scan, listener) in &self.scans {
            for advert in &self.live {
                let sender = &self.adverts[advert].0;
                if sender != listener && !self.places[sender].is_disjoint(&self.places[listener]) {
                    self.within_reach.insert((*scan, *advert));
                }
            }
        }
    }
}

async fn live_through(seed: u64, options: &AirOptions, steps: Vec<Step>, watched: bool) -> Program {
    let mut program = Program::new(seed, options);
    let watcher = watched.then(|| program.air.subscribe()).map(|mut stream| {
        tokio::spawn(async move {
            loop {
                stream.next().await;
            }
        })
    });
    for step in steps {
        program.carry_out(step).await;
    }
    program.adverts.clear();
    program.scans.clear();
    watcher.inspect(tokio::task::JoinHandle::abort);
    program
}

fn run(seed: u64, options: &AirOptions, steps: Vec<Step>, watched: bool) -> Program {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(live_through(seed, options, steps, watched))
}

proptest! {
    #[test]
    fn nothing_happens_that_cannot(
        seed in any::<u64>(),
        options in weather(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let program = run(seed, &options, steps.clone(), false);
        let trace = program.air.trace();

        let mut model = Model::default();
        for device in &program.devices {
            model.places.insert(device.name().to_owned(), [RangeGroup::new("desk")].into());
        }
        trace.iter().for_each(|event| model.follow(event));
        prop_assert!(model.live.is_empty() && model.scans.is_empty(), "everything dropped has ended");

        prop_assert_eq!(model.heard.len(), program.heard.len());
        for ((scan, advert), (by, sighting)) in model.heard.iter().zip(&program.heard) {
            let sent = &program.sent[advert];
            prop_assert_eq!(scan, by);
            prop_assert_eq!((&sent.data, sent.uuid), (&sighting.data, sighting.uuid));
            prop_assert_eq!(model.adverts[advert].1, sighting.device);
        }

        let again = run(seed, &options, steps, true);
        prop_assert_eq!(again.air.trace(), trace);
        prop_assert_eq!(again.heard, program.heard);
    }
}
