//! Clock and queue: what happens next.

use core::time::Duration;
use std::{collections::BTreeMap, time::Instant};

use hybridge_proto::{
    advert::Psm,
    authenticator::AuthenticatorError,
    client::{ClientError, Link},
    ids::{RoutingId, TunnelId},
    link::ClientPayload,
};

use super::{
    dice::Dice,
    faults::{Fault, Faults, Plan, Point},
    laptop::Laptop,
    phone::{Owner, Phone},
    remembered::{OWNERS, domain_of},
    settings::Settings,
    trace::{Trace, Who},
    wire::{End, Report, Stage, Wire},
};

/// No run may need more steps than this.
const MAX_STEPS: usize = 20_000;
/// Nor more virtual time: the sum of all the machines' own limits is below it.
const MAX_TIME: Duration = Duration::from_secs(3_600);

pub(crate) struct World {
    base: Instant,
    pub(super) now: Duration,
    queue: BTreeMap<(Duration, u64), Happening>,
    queued: u64,
    pub(super) settings: Settings,
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    pub(super) wire: Wire,
    pub(crate) laptop: Laptop,
    pub(super) phones: Vec<Phone>,
    pub(super) owners: Vec<Owner>,
    /// Messages that passed, to be replayed.
    pub(super) passed: [Vec<Vec<u8>>; 3],
    /// The hosts of the tunnel services.
    pub(super) hosts: Vec<String>,
    pub(crate) trace: Trace,
}

/// Something that is going to happen.
pub(super) enum Happening {
    Reported {
        end: End,
        report: Report,
    },
    /// A phone's radio sends its advert once more.
    Broadcast {
        phone: usize,
    },
    /// The laptop's radio hears something.
    Heard {
        data: Vec<u8>,
        from: u64,
    },
    ConnectedOverBle {
        end: End,
        phone: usize,
        psm: Psm,
    },
    Listening {
        phone: usize,
        works: bool,
    },
    Scanned {
        owner: usize,
    },
    Rung {
        owner: usize,
        tunnel: TunnelId,
        routing: RoutingId,
        payload: ClientPayload,
    },
    Answered {
        phone: usize,
        request: Vec<u8>,
    },
    LaptopLeaves,
    PhoneLeaves {
        phone: usize,
    },
}

/// Whose turn is next.
enum Turn {
    Queue,
    LaptopTimer,
    PhoneTimer(usize),
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) laptop: Option<Result<(), ClientError>>,
    pub(crate) phones: Vec<Option<Result<(), AuthenticatorError>>>,
    /// Replies that the laptop got.
    pub(crate) replies: usize,
    /// Whose phone the laptop was connected to.
    pub(crate) winner: Option<usize>,
}

impl World {
    pub(crate) fn new(settings: Settings, plan: Plan) -> Self {
        let base = Instant::now();
        Self {
            base,
            now: Duration::ZERO,
            queue: BTreeMap::new(),
            queued: 0,
            dice: Dice::new(settings.seed, 1),
            faults: Faults::new(plan),
            wire: Wire::default(),
            laptop: Laptop::new(&settings, base),
            phones: Vec::new(),
            owners: (0..settings.owners).map(|_| Owner::new(settings.scans)).collect(),
            passed: Default::default(),
            hosts: (0..OWNERS).map(|owner| domain_of(owner.into()).host().expect("hashed")).collect(),
            trace: Trace::default(),
            settings,
        }
    }

    /// Lets everything happen until nothing is left to happen, checking all along.
    pub(crate) fn run(&mut self) -> Outcome {
        self.run_with(Vec::new())
    }

    /// The same, with phones that the laptop remembers from an earlier run.
    pub(crate) fn run_with(&mut self, remembered: Vec<Link>) -> Outcome {
        self.start_laptop(remembered);
        if let Some(after) = self.settings.timing.laptop_leaves {
            self.later(after, Happening::LaptopLeaves);
        }
        self.send_strangers();
        let mut steps = 0;
        while let Some((at, turn)) = self.next_turn() {
            steps += 1;
            assert!(steps < MAX_STEPS && at < MAX_TIME, "the run does not end");
            self.now = self.now.max(at);
            self.trace.now = self.now;
            self.take(turn);
        }
        self.check_end();
        self.outcome()
    }

    pub(super) fn instant(&self) -> Instant {
        self.base + self.now
    }

    pub(super) fn later(&mut self, after: Duration, happening: Happening) {
        self.queued += 1;
        self.queue.insert((self.now + after, self.queued), happening);
    }

    fn next_turn(&self) -> Option<(Duration, Turn)> {
        let timer = |due: Option<Instant>| {
            due.map(|due| due.saturating_duration_since(self.base) + self.settings.lateness)
        };
        let queue = self.queue.keys().next().map(|(at, _)| (*at, Turn::Queue));
        let laptop = timer(self.laptop.machine.poll_timeout()).map(|at| (at, Turn::LaptopTimer));
        let phones = self.phones.iter().enumerate().filter_map(|(phone, state)| {
            Some((timer(state.machine.poll_timeout())?, Turn::PhoneTimer(phone)))
        });
        queue.into_iter().chain(laptop).chain(phones).min_by_key(|(at, _)| *at)
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Queue => {
                if let Some((_, happening)) = self.queue.pop_first() {
                    self.happen(happening);
                }
            }
            Turn::LaptopTimer => self.laptop_timer(),
            Turn::PhoneTimer(phone) => self.phone_timer(phone),
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Reported { end, report } => self.deliver(end, report),
            Happening::Broadcast { phone } => self.broadcast(phone),
            Happening::Heard { data, from } => self.laptop_heard(&data, from),
            Happening::ConnectedOverBle { end, phone, psm } => self.connect_over_ble(end, phone, psm),
            Happening::Listening { phone, works } => self.phone_listening(phone, works),
            Happening::Scanned { owner } => self.owner_scans(owner),
            Happening::Rung { owner, tunnel, routing, payload } => {
                self.phone_rung(owner, tunnel, routing, payload)
            }
            Happening::Answered { phone, request } => self.phone_answers(phone, &request),
            Happening::LaptopLeaves => self.laptop_leaves(),
            Happening::PhoneLeaves { phone } => self.phone_leaves(phone),
        }
    }

    /// What goes wrong at this point, for the record too.
    pub(super) fn strike(&mut self, point: Point) -> Option<Fault> {
        let fault = self.faults.strike(point);
        if let Some(fault) = fault {
            self.trace.detail(Who::World, "fault", format!("{point:?} {fault:?}"));
        }
        fault
    }

    /// Hands a report to a machine, as a driver would: that a channel is open before anything else, and nothing about
    /// one that is gone. A clumsy driver repeats itself, and talks of channels that are gone.
    fn deliver(&mut self, end: End, report: Report) {
        let stage = self.wire.stage(end).expect("reports are about channels that exist");
        let about_dialing = matches!(report, Report::Opened { .. } | Report::Failed(_));
        let clumsy = self.settings.clumsy;
        let opens = matches!(report, Report::Opened { .. }) && stage == Stage::Dialing;
        match (stage, &report) {
            (Stage::Dialing, _) if !about_dialing => return self.wire.keep_early(end, report),
            (Stage::Dialing, Report::Opened { .. }) => self.wire.set_stage(end, Stage::Open),
            (Stage::Dialing, _) | (Stage::Open, Report::Closed) => self.wire.set_stage(end, Stage::Gone),
            (Stage::Open, Report::Message(_)) => {}
            (Stage::Open, Report::Opened { .. }) | (Stage::Gone, _) if clumsy => {}
            (Stage::Open | Stage::Gone, _) => return,
        }
        match end {
            End::Laptop(channel) => self.laptop_report(channel, report),
            End::Phone(phone, channel) => self.phone_report(phone, channel, report),
        }
        if opens {
            for report in self.wire.take_early(end) {
                self.later(Duration::ZERO, Happening::Reported { end, report });
            }
        }
    }

    /// How often something went wrong.
    pub(crate) const fn faults_struck(&self) -> usize {
        self.faults.struck
    }

    /// How often something passed this point.
    pub(crate) fn passes(&self, point: Point) -> usize {
        self.faults.passes(point)
    }

    /// Whether nothing went wrong and nobody was impatient or hostile.
    pub(crate) fn is_harmless(&self) -> bool {
        self.faults.struck == 0 && !self.settings.worsened
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            laptop: self.laptop.end,
            phones: self.phones.iter().map(|phone| phone.end).collect(),
            replies: self.laptop.replies,
            winner: self.laptop.partner.map(|phone| self.phones[phone].owner),
        }
    }
}
