//! Ten thousand worlds, one from each seed.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use super::sim::{Dice, Fault, Plan, Point, Settings, World};

/// How many seeds run in each of the four tests below.
const SEEDS: u64 = 2_500;

/// What the runs of a test came to.
#[derive(Default)]
struct Tally {
    runs: u64,
    successes: u64,
    /// Runs in which something went wrong, and which succeeded all the same.
    recoveries: u64,
    /// How the laptop's machine ended, and how often.
    ends: BTreeMap<String, u64>,
    failed_seeds: Vec<u64>,
}

impl Tally {
    /// Runs the world of a seed. A rule that is broken is a panic; so is a failure with nothing to blame.
    fn run(&mut self, seed: u64, plan: impl Fn(&mut Dice) -> Plan) {
        let mut world = world_of(seed, plan);
        let run = catch_unwind(AssertUnwindSafe(|| {
            world.run();
            assert!(world.succeeded() || !world.is_harmless(), "failed without a fault");
        }));
        if run.is_err() && self.failed_seeds.is_empty() {
            let _ = writeln!(io::stderr().lock(), "seed {seed}: {:?}\n{}", world.outcome(), world.trace);
        }
        self.failed_seeds.extend(run.is_err().then_some(seed));
        self.runs += 1;
        self.successes += u64::from(world.succeeded());
        self.recoveries += u64::from(world.succeeded() && world.faults_struck() > 0);
        let end = format!("{:?}", world.outcome().laptop);
        *self.ends.entry(end).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.successes += other.successes;
        self.recoveries += other.recoveries;
        self.failed_seeds.extend(other.failed_seeds);
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
    }

    fn has_end(&self, name: &str) -> bool {
        self.ends.keys().any(|end| end.contains(name))
    }
}

fn world_of(seed: u64, plan: impl Fn(&mut Dice) -> Plan) -> World {
    let mut dice = Dice::new(seed, 0);
    let mut settings = Settings::random(seed, &mut dice);
    let plan = plan(&mut dice);
    if matches!(plan, Plan::Often { .. }) {
        settings.worsen(&mut dice);
    }
    World::new(settings, plan)
}

fn once(dice: &mut Dice) -> Plan {
    let point = dice.pick(&Point::ALL);
    let fault: Fault = dice.pick(point.faults());
    Plan::Once { point, index: dice.index(5), fault }
}

/// Faults in at least `from` and less than `to` of a hundred passes.
fn often(dice: &mut Dice, from: u32, to: u32) -> Plan {
    let percent = from + dice.below(to - from);
    Plan::Often { dice: Box::new(Dice::new(u64::from(dice.below(u32::MAX)), 3)), percent }
}

/// Runs as many seeds as there are, on two threads.
fn run_all(first: u64, plan: impl Fn(&mut Dice) -> Plan + Copy + Send + Sync) -> Tally {
    let half = |from: u64| {
        let mut tally = Tally::default();
        (first + from..first + SEEDS).step_by(2).for_each(|seed| tally.run(seed, plan));
        tally
    };
    let tally = thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut tally = half(0);
        tally.add(other.join().expect("panics are caught"));
        tally
    });
    assert!(tally.failed_seeds.is_empty(), "a rule is broken by the seeds {:?}", tally.failed_seeds);
    assert_eq!(tally.runs, SEEDS);
    tally
}

#[test]
fn nothing_goes_wrong() {
    assert_eq!(run_all(0, |_| Plan::Clean).successes, SEEDS);
}

#[test]
fn one_thing_goes_wrong() {
    let tally = run_all(10_000, once);
    assert!(tally.recoveries > SEEDS / 10, "{} recoveries", tally.recoveries);
}

#[test]
fn a_few_things_go_wrong() {
    let tally = run_all(20_000, |dice| often(dice, 1, 9));
    assert!(tally.recoveries > SEEDS / 10, "{} recoveries", tally.recoveries);
}

/// Also shows that these worlds reach the machine's ends, not one and the same all the time.
#[test]
fn much_goes_wrong() {
    let tally = run_all(30_000, |dice| often(dice, 10, 50));
    for end in [
        "Ok(())",
        "NobodyScanned",
        "UnknownTunnelService",
        "Dial(Gone)",
        "Dial(Refused",
        "DialTimeout",
        "ChannelLost",
        "Handshake(",
        "HandshakeTimeout",
        "CallTimeout",
        "Signal",
        "Silent",
        "Frame(Authentication)",
        "Frame(TooLarge",
        "PhoneLeft",
        "ReplyTimeout",
    ] {
        assert!(tally.has_end(end), "no run ended with {end}: {:#?}", tally.ends);
    }
}
