//! One node is gone from one moment to the next.

use std::time::{Duration, Instant};

use crate::{
    cluster::{Cluster, NUMBERS},
    peer::{Case, End, Pair, Peer},
    timeline::Timeline,
};

const TUNNELS: usize = 90;
/// How soon the dead node's tunnels have to have ended.
const SOON: Duration = Duration::from_secs(1);

pub(crate) async fn check(cluster: &mut Cluster, timeline: &Timeline) {
    let [_, victim, _] = NUMBERS;
    let pairs = cluster.road.pairs(TUNNELS).await;
    let (dead, mut alive): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(|pair| pair.node == victim);
    assert!(!dead.is_empty() && !alive.is_empty());
    let pending = loop {
        let pending = cluster.road.open(Case::Upper).await.unwrap();
        if pending.node() == victim {
            break pending;
        }
    };
    let (tunnel, routing) = (pending.tunnel, pending.routing);

    timeline.tell(format!("node {victim:02X} is killed; it holds {} tunnels of {TUNNELS}", dead.len()));
    let killed = Instant::now();
    let ends: Vec<_> = dead.into_iter().map(|pair| tokio::spawn(ends(pair, killed))).collect();
    node(cluster, victim).kill().await;
    let mut longest = Duration::ZERO;
    for ended in ends {
        longest = longest.max(ended.await.unwrap());
    }
    assert!(longest < SOON, "{longest:?}");
    timeline.tell(format!("both sides of each have ended without a close frame, the last after {longest:?}"));

    for mut pair in cluster.road.pairs(60).await {
        assert_ne!(pair.node, victim);
        pair.exchange(100).await;
        pair.close().await;
    }
    timeline.tell("60 new tunnels went to the other nodes at the first attempt");
    for pair in &mut alive {
        pair.exchange(100).await;
    }
    timeline.tell(format!("the other {} tunnels are unharmed", alive.len()));
    let refused = cluster.road.connect(tunnel, routing, Case::Upper).await.err().flatten();
    assert!(matches!(refused, Some(502 | 503)), "{refused:?}");
    timeline.tell("a client that wants to join a tunnel of the dead node is refused");

    node(cluster, victim).start().await;
    cluster.is_used(victim).await;
    assert_eq!(cluster.road.connect(tunnel, routing, Case::Lower).await.err(), Some(Some(404)));
    timeline
        .tell(format!("node {victim:02X} runs again and gets new tunnels; its earlier routing IDs are 404"));
    for pair in alive {
        pair.close().await;
    }
}

/// How long after a moment both sides of a tunnel have ended; each has to end without a close frame.
async fn ends(mut pair: Pair, since: Instant) -> Duration {
    let cut = async |peer: &mut Peer| assert_eq!(peer.receive().await, Err(End::Cut));
    tokio::join!(cut(&mut pair.phone), cut(&mut pair.client));
    since.elapsed()
}

/// The node with this number.
pub(crate) fn node(cluster: &mut Cluster, number: u8) -> &mut crate::node::Node {
    cluster.nodes.iter_mut().find(|node| node.number == number).unwrap()
}
