//! The routing ID as a directory: which machine of a service holds a tunnel.
//!
//! ```text
//! byte       0               1                2
//!      node number      generation      random rest
//! hex  0 1              2 3             4 5
//! ```
//!
//! * The **node number** is a machine's own, given to it by its configuration. It is the first two hex digits of
//!   `/cable/connect/<routing ID>/…`, so that a proxy routes by the path alone and keeps no table.
//! * The **generation** tells a node's starts apart: the second at which it started, modulo 256. Nothing is written
//!   down for it. Tunnels do not outlive their node, so a routing ID of another generation names a tunnel that is
//!   gone, and is refused without a look at the table.
//! * The **rest** is random and is compared with the tunnel's own.
//!
//! The generation only makes an answer quicker and its reason plain: a node that starts has an empty table, and would
//! answer 404 to the IDs of its earlier start anyhow. So a generation that comes again is harmless, be it after 256
//! seconds, twice within a second, or because the clock was set.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use hybridge_proto::ids::RoutingId;
use rand_core::CryptoRng;
use thiserror::Error;

/// How many generations there are before they come again.
const GENERATIONS: u64 = 256;

/// One machine of a service, from its start to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Node {
    number: u8,
    generation: u8,
}

/// Why a routing ID does not lead to a tunnel of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotHere {
    /// It names another node: the request was sent to the wrong machine.
    #[error("the routing ID names another machine of the service")]
    OtherNode,
    /// It names this node in another generation: the tunnel ended with that start.
    #[error("the routing ID is from an earlier start of this machine")]
    OtherGeneration,
}

impl Node {
    /// A node with the given number, in the given generation.
    pub const fn new(number: u8, generation: u8) -> Self {
        Self { number, generation }
    }

    /// A node with the given number that starts at `time`.
    pub fn starting_at(number: u8, time: SystemTime) -> Self {
        // A clock before 1970 is wrong, and gives a generation as good as any.
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self::new(number, u8::try_from(seconds % GENERATIONS).unwrap_or_default())
    }

    /// The number that tells the machines of a service apart.
    pub const fn number(self) -> u8 {
        self.number
    }

    /// A routing ID for a new tunnel of this node.
    pub fn routing_id(self, rng: &mut (impl CryptoRng + ?Sized)) -> RoutingId {
        let mut rest = [0];
        rng.fill_bytes(&mut rest);
        let [rest] = rest;
        RoutingId::from_bytes([self.number, self.generation, rest])
    }

    /// Checks that a routing ID is one that this node may have given out.
    ///
    /// # Errors
    /// [`NotHere`] when it names another node or generation.
    pub fn check(self, routing: RoutingId) -> Result<(), NotHere> {
        let [number, generation, _] = *routing.as_bytes();
        if number != self.number {
            return Err(NotHere::OtherNode);
        }
        if generation != self.generation {
            return Err(NotHere::OtherGeneration);
        }
        Ok(())
    }
}

/// The number only: with the generation, most of every routing ID would be known.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_number_is_the_first_two_hex_digits() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        for number in 0..=u8::MAX {
            let hex = Node::new(number, 0xAB).routing_id(&mut rng).to_hex();
            assert_eq!(hex[..4], format!("{number:02X}AB"));
        }
    }

    #[test]
    fn the_rest_is_drawn_anew_each_time() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let drawn: std::collections::HashSet<_> =
            (0..100).map(|_| Node::new(1, 2).routing_id(&mut rng)).collect();
        assert!(drawn.len() > 50, "{}", drawn.len());
    }

    #[test]
    fn starts_one_second_apart_have_generations_of_their_own() {
        let starts: Vec<_> = (0..GENERATIONS)
            .map(|second| Node::starting_at(3, UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second)))
            .collect();
        let generations: std::collections::HashSet<_> = starts.iter().collect();
        assert_eq!(generations.len(), starts.len());
        let around = Node::starting_at(3, UNIX_EPOCH + Duration::from_secs(1_700_000_000 + GENERATIONS));
        assert_eq!(around, starts[0]);
    }

    #[test]
    fn a_clock_before_1970_is_no_obstacle() {
        let node = Node::starting_at(3, UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(node, Node::new(3, 0));
    }

    proptest! {
        #[test]
        fn a_node_knows_its_own_routing_ids_and_no_others(
            number: u8, generation: u8, other_number: u8, other_generation: u8, seed: [u8; 32],
        ) {
            let (node, other) = (Node::new(number, generation), Node::new(other_number, other_generation));
            let routing = other.routing_id(&mut ChaCha20Rng::from_seed(seed));
            let expected = if number != other_number {
                Err(NotHere::OtherNode)
            } else if generation != other_generation {
                Err(NotHere::OtherGeneration)
            } else {
                Ok(())
            };
            prop_assert_eq!(node.check(routing), expected);
        }
    }
}
