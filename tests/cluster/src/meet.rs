//! Tunnels always meet: whatever node the opening went to, the joining goes to the same.

use crate::{
    cluster::{Cluster, NUMBERS},
    peer::{Case, Road},
    timeline::Timeline,
};

const TUNNELS: usize = 300;
const AT_ONCE: usize = 50;

pub(crate) async fn check(cluster: &Cluster, timeline: &Timeline) {
    let mut held = [0; NUMBERS.len()];
    for _ in 0..TUNNELS / AT_ONCE {
        for mut pair in cluster.road.pairs(AT_ONCE).await {
            let at = NUMBERS.iter().position(|number| *number == pair.node).unwrap();
            *held.get_mut(at).unwrap() += 1;
            pair.exchange(1000).await;
            pair.close().await;
        }
    }
    assert!(held.iter().all(|count| *count > 0), "a node gets no tunnels: {held:?}");
    timeline.tell(format!("{TUNNELS} tunnels have met, in both hex cases; held by the nodes: {held:?}"));
    large_message(&cluster.road).await;
    timeline.tell("messages of 1 MiB went through both ways");
    strangers(&cluster.road).await;
    timeline.tell("unknown nodes, unknown tunnels and unknown paths are 404");
}

async fn large_message(road: &Road) {
    let mut pair = road.pair(Case::Lower).await.unwrap();
    pair.exchange(1 << 20).await;
    pair.close().await;
}

/// A node that there is not, and a tunnel that a node does not have.
async fn strangers(road: &Road) {
    let pending = road.open(Case::Upper).await.unwrap();
    let [number, generation, rest] = *pending.routing.as_bytes();
    let others = [[0x77, generation, rest], [number, generation, rest.wrapping_add(1)]];
    for other in others.map(hybridge_proto::ids::RoutingId::from_bytes) {
        for case in [Case::Upper, Case::Lower] {
            assert_eq!(road.connect(pending.tunnel, other, case).await.err(), Some(Some(404)));
        }
    }
    pending.joined(road, Case::Lower).await.unwrap().close().await;
}
