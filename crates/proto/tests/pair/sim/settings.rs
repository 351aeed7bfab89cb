//! How a run is set up: who is there, how fast things are, and who misbehaves.

use core::time::Duration;

use hybridge_proto::{
    authenticator::AuthenticatorConfig, channel::DialFailure, client::ClientConfig, packets::Framing,
    qr::Hint,
};

use super::{
    dice::Dice,
    remembered::{Remembered, domain_of},
};

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// Whether the laptop shows codes.
    pub(crate) code: bool,
    /// Whose remembered phones the laptop calls.
    pub(crate) calls: Vec<usize>,
    /// How many people scan codes, each with a phone.
    pub(crate) owners: usize,
    /// How many codes each of them is ready to scan.
    pub(crate) scans: usize,
    /// How many requests the laptop sends.
    pub(crate) requests: usize,
    pub(crate) accept_linking: bool,
    pub(crate) offer_linking: bool,
    /// Whether the laptop offers the BLE channel.
    pub(crate) laptop_l2cap: bool,
    /// How messages end over BLE.
    pub(crate) framing: Framing,
    /// Whether the phones take it.
    pub(crate) phone_l2cap: bool,
    /// Whether the tunnel service agrees to the connect signal.
    pub(crate) signal: bool,
    /// How the tunnel service answers calls, if not by ringing the phone.
    pub(crate) contact_failure: Option<DialFailure>,
    /// How many adverts of strangers are on the air.
    pub(crate) strangers: u32,
    /// How many forged adverts somebody sends who has photographed the code.
    pub(crate) impostors: u32,
    /// Whether the drivers report late and repeat themselves.
    pub(crate) clumsy: bool,
    /// How late the drivers' timers are.
    pub(crate) lateness: Duration,
    /// Whether success is not to be expected even without a fault.
    pub(crate) worsened: bool,
    pub(crate) timing: Timing,
}

/// How long things take.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    /// From a code on the screen to a scan.
    pub(crate) scan: Duration,
    /// To open the laptop's channel.
    pub(crate) laptop_opens: Duration,
    /// To open a phone's channel.
    pub(crate) phone_opens: Duration,
    /// From one end of a channel to the other.
    pub(crate) way: Duration,
    /// From a call to the phone's start.
    pub(crate) wake: Duration,
    /// From a request to the owner's consent.
    pub(crate) think: Duration,
    /// The laptop's patience with a request.
    pub(crate) reply: Duration,
    /// When the laptop's user has enough.
    pub(crate) laptop_leaves: Option<Duration>,
    /// When a phone's owner has enough, from its start.
    pub(crate) phone_leaves: Option<Duration>,
    /// How long a code is shown.
    pub(crate) code_lifetime: Duration,
}

impl Settings {
    /// One phone that scans the code, two requests, nothing else.
    pub(crate) fn standard(seed: u64) -> Self {
        let seconds = Duration::from_secs;
        let timing = Timing {
            scan: seconds(2),
            laptop_opens: Duration::from_millis(150),
            phone_opens: Duration::from_millis(120),
            way: Duration::from_millis(40),
            wake: seconds(1),
            think: seconds(1),
            reply: seconds(60),
            laptop_leaves: None,
            phone_leaves: None,
            code_lifetime: seconds(120),
        };
        Self {
            seed,
            code: true,
            calls: Vec::new(),
            owners: 1,
            scans: 1,
            requests: 2,
            accept_linking: false,
            offer_linking: false,
            laptop_l2cap: false,
            framing: Framing::CrLf,
            phone_l2cap: false,
            signal: false,
            contact_failure: None,
            strangers: 0,
            impostors: 0,
            clumsy: false,
            lateness: Duration::ZERO,
            worsened: false,
            timing,
        }
    }

    /// No code, but a call of the first owner's remembered phone.
    pub(crate) fn call(seed: u64) -> Self {
        Self { code: false, calls: vec![0], signal: true, ..Self::standard(seed) }
    }

    /// Anything that leads to success if no fault comes in between.
    pub(crate) fn random(seed: u64, dice: &mut Dice) -> Self {
        let kind = dice.below(10);
        let standard = Self::standard(seed);
        let timing = Timing {
            scan: dice.millis(500, 20_000),
            laptop_opens: dice.millis(1, 2_000),
            phone_opens: dice.millis(1, 2_000),
            way: dice.millis(1, 300),
            wake: dice.millis(1, 5_000),
            think: dice.millis(0, 10_000),
            ..standard.timing
        };
        Self {
            code: kind < 8,
            calls: if kind < 6 { Vec::new() } else { (0..1 + dice.index(2)).collect() },
            owners: if dice.percent(25) { 2 } else { 1 },
            scans: 1 + dice.index(3),
            requests: 1 + dice.index(3),
            accept_linking: dice.percent(30),
            offer_linking: dice.percent(30),
            laptop_l2cap: dice.percent(20),
            framing: if seed.is_multiple_of(2) { Framing::CrLf } else { Framing::Length },
            phone_l2cap: dice.percent(60),
            signal: dice.percent(50),
            strangers: dice.below(4),
            clumsy: dice.percent(30),
            lateness: if dice.percent(30) { dice.millis(1, 400) } else { Duration::ZERO },
            timing,
            ..standard
        }
    }

    /// People with little patience, a bad tunnel service, somebody with a photo of the code.
    pub(crate) fn worsen(&mut self, dice: &mut Dice) {
        self.worsened = true;
        let mut maybe = |chance, from, to| dice.percent(chance).then(|| dice.millis(from, to));
        self.timing.laptop_leaves = maybe(10, 1_000, 60_000);
        self.timing.phone_leaves = maybe(10, 10, 20_000);
        self.timing.think = maybe(10, 55_000, 70_000).unwrap_or(self.timing.think);
        self.timing.code_lifetime = maybe(20, 2_000, 30_000).unwrap_or(self.timing.code_lifetime);
        if dice.percent(20) {
            self.impostors = 1 + dice.below(8);
        }
        if dice.percent(20) {
            let failures = [DialFailure::Gone, DialFailure::Refused(404), DialFailure::Refused(500)];
            self.contact_failure = Some(dice.pick(&failures));
        }
    }

    pub(crate) fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new(Hint::GetAssertion);
        config.unix_time = Some(1_790_000_000);
        config.accept_linking = self.accept_linking;
        config.l2cap = self.laptop_l2cap;
        config.l2cap_framing = self.framing;
        config.timing.code_lifetime = self.timing.code_lifetime;
        config
    }

    /// For the phone of one owner; `get_info` names the run of its machine.
    pub(crate) fn authenticator_config(&self, owner: usize, get_info: Vec<u8>) -> AuthenticatorConfig {
        let mut config = AuthenticatorConfig::new(domain_of(owner), get_info);
        config.l2cap = self.phone_l2cap;
        config.linking = self.offer_linking.then(|| Remembered::of(owner).offer());
        config
    }
}
