//! Chance in the simulated air.
//!
//! There is no running generator whose state would depend on who asked first. Each decision has a generator of its
//! own, seeded with what the decision is about: the air's seed, the advert, the scan, the packet. So a decision
//! does not depend on when it is computed, or on which other devices exist.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::Probability;
use super::options::Timing;
use crate::{AddressKind, DeviceAddress};

/// What a generator is used for. Each purpose has a stream of its own.
#[derive(Clone, Copy)]
enum Purpose {
    PacketTime,
    Address,
    Fate,
    Memory,
    Link,
}

/// Gives a generator for each decision.
#[derive(Clone, Copy)]
pub(crate) struct Dice {
    seed: u64,
}

/// What happens to one packet on its way to one scan. Times are delays in milliseconds.
pub(crate) struct Fate {
    /// When it arrives, or `None` when it is lost.
    pub(crate) arrival: Option<u64>,
    /// When it arrives a second time.
    pub(crate) copy: Option<u64>,
    /// Picks an old advert to arrive with it, and when that one arrives.
    pub(crate) stale: Option<(u64, u64)>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// How far in milliseconds a packet is behind its regular time.
    pub(crate) fn packet_time(self, advert: u64, packet: u64, most: u64) -> u64 {
        up_to(&mut self.generator(Purpose::PacketTime, [advert, packet, 0]), most)
    }

    /// The address of an advert: resolvable when others may connect, else non-resolvable, which shows in the two
    /// highest bits.
    pub(crate) fn address(self, advert: u64, connectable: bool) -> DeviceAddress {
        let mut bytes = [0; DeviceAddress::LENGTH];
        self.generator(Purpose::Address, [advert, 0, 0]).fill_bytes(&mut bytes);
        let [high, ..] = &mut bytes;
        *high = (*high & 0b0011_1111) | if connectable { 0b0100_0000 } else { 0 };
        DeviceAddress::new(bytes, AddressKind::Random)
    }

    /// What happens to a packet on its way to a scan. All numbers are drawn in any case, so that a change of one
    /// option leaves the effect of the others as it was.
    pub(crate) fn fate(self, advert: u64, packet: u64, scan: u64, timing: &Timing) -> Fate {
        let mut rng = self.generator(Purpose::Fate, [advert, packet, scan]);
        let lost = happens(&mut rng, timing.loss);
        let arrival = timing.delay(&mut rng);
        let again = happens(&mut rng, timing.duplication);
        let copy = timing.delay(&mut rng);
        let haunted = happens(&mut rng, timing.stale);
        let stale = (rng.next_u64(), timing.delay(&mut rng));
        Fate {
            arrival: (!lost).then_some(arrival),
            copy: (!lost && again).then_some(copy),
            stale: haunted.then_some(stale),
        }
    }

    /// Whether, and how many milliseconds after its start, a scan is handed an old advert from memory.
    pub(crate) fn memory(self, advert: u64, scan: u64, timing: &Timing) -> Option<u64> {
        let mut rng = self.generator(Purpose::Memory, [advert, scan, 0]);
        let handed = happens(&mut rng, timing.stale);
        let delay = timing.delay(&mut rng);
        handed.then_some(delay)
    }

    /// How often a packet on a connection is missed, at most `most` times, and its delay in milliseconds.
    pub(crate) fn packet(
        self,
        link: u64,
        side: usize,
        packet: u64,
        timing: &Timing,
        most: u64,
    ) -> (u64, u64) {
        let side = u64::try_from(side).unwrap_or_default();
        let mut rng = self.generator(Purpose::Link, [link, side, packet]);
        let delay = timing.delay(&mut rng);
        let missed = (0..most).take_while(|_| happens(&mut rng, timing.loss)).count();
        (u64::try_from(missed).unwrap_or(most), delay)
    }

    fn generator(self, purpose: Purpose, about: [u64; 3]) -> ChaCha20Rng {
        let [x, y, z] = about;
        let mut seed = [0; 32];
        for (chunk, word) in seed.chunks_exact_mut(8).zip([self.seed, x, y, z]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        let mut rng = ChaCha20Rng::from_seed(seed);
        rng.set_stream(match purpose {
            Purpose::PacketTime => 0,
            Purpose::Address => 1,
            Purpose::Fate => 2,
            Purpose::Memory => 3,
            Purpose::Link => 4,
        });
        rng
    }
}

/// A number from zero to `most`, both included. The tiny bias of the remainder does no harm to a simulation.
pub(crate) fn up_to(rng: &mut impl Rng, most: u64) -> u64 {
    let drawn = rng.next_u64();
    most.checked_add(1).map_or(drawn, |count| drawn % count)
}

fn happens(rng: &mut impl Rng, probability: Probability) -> bool {
    const RANGE: f64 = 4_294_967_296.0;
    f64::from(rng.next_u32()) / RANGE < probability.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::AirOptions;

    fn lossy(loss: f64) -> Timing {
        let loss = Probability::new(loss).expect("in range");
        Timing::from(&AirOptions { loss, ..AirOptions::default() })
    }

    fn lost(dice: Dice, loss: f64) -> Vec<u64> {
        (0..2000).filter(|&packet| dice.fate(1, packet, 2, &lossy(loss)).arrival.is_none()).collect()
    }

    #[test]
    fn certain_and_impossible_things_are_just_that() {
        let dice = Dice::new(7);
        assert!(lost(dice, 0.0).is_empty());
        assert_eq!(lost(dice, 1.0).len(), 2000);
    }

    #[test]
    fn a_higher_loss_loses_the_same_packets_and_more() {
        let dice = Dice::new(7);
        let (few, many) = (lost(dice, 0.2), lost(dice, 0.4));
        assert!((300..500).contains(&few.len()), "{}", few.len());
        assert!((700..900).contains(&many.len()), "{}", many.len());
        assert!(few.iter().all(|packet| many.contains(packet)));
    }

    #[test]
    fn every_word_of_the_question_matters() {
        let draw = |seed, about| Dice::new(seed).generator(Purpose::Fate, about).next_u64();
        let base = draw(1, [1, 1, 1]);
        assert_eq!(base, draw(1, [1, 1, 1]));
        for other in [draw(2, [1, 1, 1]), draw(1, [2, 1, 1]), draw(1, [1, 2, 1]), draw(1, [1, 1, 2])] {
            assert_ne!(base, other);
        }
        let other_purpose = Dice::new(1).generator(Purpose::Memory, [1, 1, 1]).next_u64();
        assert_ne!(base, other_purpose);
    }

    #[test]
    fn ranges_include_both_ends() {
        let mut rng = Dice::new(3).generator(Purpose::Memory, [0; 3]);
        let drawn: Vec<u64> = (0..200).map(|_| up_to(&mut rng, 3)).collect();
        assert!((0..=3).all(|number| drawn.contains(&number)));
        assert!(drawn.iter().all(|&number| number <= 3));
        assert_eq!(up_to(&mut rng, 0), 0);
        up_to(&mut rng, u64::MAX);
    }

    #[test]
    fn addresses_show_their_kind_in_the_highest_bits() {
        for advert in 0..100 {
            let [high, ..] = *Dice::new(3).address(advert, false).bytes();
            assert_eq!(high >> 6, 0b00);
            let [high, ..] = *Dice::new(3).address(advert, true).bytes();
            assert_eq!(high >> 6, 0b01);
        }
    }
}
