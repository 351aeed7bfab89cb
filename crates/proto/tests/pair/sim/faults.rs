//! What goes wrong. Each time something passes a point of the world, the plan is asked once.

use core::time::Duration;

use hybridge_proto::channel::DialFailure;

use super::dice::Dice;

/// A place where things pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    /// One broadcast of an advert.
    Advert,
    /// The report to a phone that its channel is open, or is not.
    PhoneOpens,
    /// The same to the laptop.
    LaptopOpens,
    /// The report to a phone that it listens for BLE connections.
    Listens,
    /// The tunnel service rings a remembered phone.
    Call,
    /// A message on its way to a phone.
    ToPhone,
    /// A message on its way to the laptop.
    ToLaptop,
    /// The report to a phone that its channel is closed.
    PhoneCloses,
    /// The same to the laptop.
    LaptopCloses,
}

impl Point {
    pub(crate) const ALL: [Self; 9] = [
        Self::Advert,
        Self::PhoneOpens,
        Self::LaptopOpens,
        Self::Listens,
        Self::Call,
        Self::ToPhone,
        Self::ToLaptop,
        Self::PhoneCloses,
        Self::LaptopCloses,
    ];

    fn index(self) -> usize {
        Self::ALL.iter().position(|point| *point == self).expect("all points are listed")
    }

    /// The faults that make sense here.
    pub(crate) const fn faults(self) -> &'static [Fault] {
        match self {
            Self::Advert => &ADVERT,
            Self::PhoneOpens | Self::LaptopOpens => &OPEN,
            Self::ToPhone | Self::ToLaptop => &MESSAGE,
            Self::Listens => {
                &[Fault::Drop, Fault::Duplicate, Fault::Late(3), Fault::Fail(DialFailure::L2cap)]
            }
            Self::Call | Self::PhoneCloses | Self::LaptopCloses => {
                &[Fault::Drop, Fault::Duplicate, Fault::Late(3), Fault::Late(30)]
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It never comes.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes this many seconds late, so that what follows may overtake it.
    Late(u64),
    /// The last byte is missing.
    Truncate,
    /// No byte is left.
    Hollow,
    /// One byte too many.
    Extend,
    /// Much too many bytes, more than any message may have.
    Oversize,
    /// One changed bit, counted from the start.
    Flip(usize),
    /// The last bit is changed.
    FlipLast,
    /// An earlier one of the same kind comes once more, before this one.
    Replay,
    /// It also comes back to its sender.
    Reflect,
    /// The tunnel service hangs up on both sides instead.
    HangUp,
    /// The channel does not open.
    Fail(DialFailure),
    /// The tunnel service forgets the routing ID.
    NoRouting,
    /// Somebody else's BLE channel is offered behind the phone's advert.
    ForgedSuffix,
}

const MESSAGE: [Fault; 14] = [
    Fault::Drop,
    Fault::Duplicate,
    Fault::Late(1),
    Fault::Late(20),
    Fault::Truncate,
    Fault::Hollow,
    Fault::Extend,
    Fault::Oversize,
    Fault::Flip(0),
    Fault::Flip(300),
    Fault::FlipLast,
    Fault::Replay,
    Fault::Reflect,
    Fault::HangUp,
];

const ADVERT: [Fault; 10] = [
    Fault::Drop,
    Fault::Duplicate,
    Fault::Late(1),
    Fault::Truncate,
    Fault::Hollow,
    Fault::Extend,
    Fault::Oversize,
    Fault::Flip(7),
    Fault::Flip(150),
    Fault::ForgedSuffix,
];

const OPEN: [Fault; 11] = [
    Fault::Drop,
    Fault::Duplicate,
    Fault::Late(3),
    Fault::Late(12),
    Fault::Fail(DialFailure::Gone),
    Fault::Fail(DialFailure::Refused(404)),
    Fault::Fail(DialFailure::Refused(503)),
    Fault::Fail(DialFailure::Unreachable),
    Fault::Fail(DialFailure::NotATunnelService),
    Fault::Fail(DialFailure::L2cap),
    Fault::NoRouting,
];

/// When what goes wrong.
pub(crate) enum Plan {
    /// Nothing does.
    Clean,
    /// This, when the point is passed for the `index`th time, counted from 0.
    Once { point: Point, index: usize, fault: Fault },
    /// Anything, in this many of a hundred passes.
    Often { dice: Box<Dice>, percent: u32 },
}

pub(crate) struct Faults {
    plan: Plan,
    passes: [usize; 9],
    /// How often something went wrong.
    pub(crate) struck: usize,
}

impl Faults {
    pub(crate) const fn new(plan: Plan) -> Self {
        Self { plan, passes: [0; 9], struck: 0 }
    }

    /// Something passes. What goes wrong with it?
    pub(crate) fn strike(&mut self, point: Point) -> Option<Fault> {
        let pass = self.passes[point.index()];
        self.passes[point.index()] += 1;
        let fault = match &mut self.plan {
            Plan::Clean => None,
            Plan::Once { point: at, index, fault } => (*at == point && *index == pass).then_some(*fault),
            Plan::Often { dice, percent } => {
                let faults = point.faults();
                dice.percent(*percent).then(|| dice.pick(faults))
            }
        };
        self.struck += usize::from(fault.is_some());
        fault
    }

    /// How often the point was passed.
    pub(crate) fn passes(&self, point: Point) -> usize {
        self.passes[point.index()]
    }
}

impl Fault {
    /// What becomes of the bytes of a message or an advert: how much later each copy comes.
    pub(crate) fn copies(self, mut bytes: Vec<u8>, earlier: Option<&Vec<u8>>) -> Vec<(Duration, Vec<u8>)> {
        let on_time = Duration::ZERO;
        match self {
            Self::Drop | Self::HangUp => return Vec::new(),
            Self::Duplicate => return vec![(on_time, bytes.clone()), (on_time, bytes)],
            Self::Late(seconds) => return vec![(Duration::from_secs(seconds), bytes)],
            Self::Replay => {
                return earlier.cloned().into_iter().chain([bytes]).map(|copy| (on_time, copy)).collect();
            }
            Self::Truncate => drop(bytes.pop()),
            Self::Hollow => bytes.clear(),
            Self::Extend => bytes.push(0),
            Self::Oversize => bytes.resize(hybridge_proto::service::MAX_MESSAGE + 1, 0),
            Self::Flip(bit) => flip(&mut bytes, bit),
            Self::FlipLast => {
                let last = bytes.len() * 8;
                flip(&mut bytes, last.saturating_sub(1));
            }
            Self::ForgedSuffix => {
                bytes.truncate(20);
                bytes.extend_from_slice(&[0xa1, 1, 0x18, 0x99]);
            }
            Self::Reflect | Self::Fail(_) | Self::NoRouting => {}
        }
        vec![(on_time, bytes)]
    }
}

/// Changes one bit, the last one if there are not as many.
fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit.min((bytes.len() * 8).saturating_sub(1));
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}
