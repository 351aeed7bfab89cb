//! All nodes are restarted, one after the other, while tunnels live and ceremonies go on.

use std::sync::Arc;

use tokio::time::sleep;

use crate::{
    ceremonies::{Running, Tally},
    cluster::{Cluster, NUMBERS},
    kill::node,
    node::LOOK,
    peer::{Case, Pair, Pending},
    timeline::Timeline,
};

const TUNNELS: usize = 90;
const PENDING: usize = 15;

pub(crate) async fn check(cluster: &mut Cluster, timeline: &Timeline) {
    let tally = Arc::new(Tally::default());
    let ceremonies = Running::start(cluster, Arc::clone(&tally)).await;
    timeline.tell("ceremonies go on from here, one after the other for each phone");
    for number in NUMBERS {
        restart(cluster, number, timeline).await;
        let (done, repeated) = tally.counts();
        timeline.tell(format!("ceremonies so far: {done}, of which {repeated} at the second attempt"));
    }
    ceremonies.finish().await;
    let (done, repeated) = tally.counts();
    timeline.tell(format!(
        "all nodes were restarted: no tunnel was lost, {done} ceremonies went well, {repeated} at the second attempt"
    ));
}

async fn restart(cluster: &mut Cluster, number: u8, timeline: &Timeline) {
    let mut pairs = cluster.road.pairs(TUNNELS).await;
    let mut pending = Vec::new();
    for _ in 0..PENDING {
        pending.push(cluster.road.open(Case::Lower).await.unwrap());
    }
    let count = |held: &[Pair]| held.iter().filter(|pair| pair.node == number).count();
    timeline
        .tell(format!("node {number:02X} is told to end; it holds {} tunnels of {TUNNELS}", count(&pairs)));
    node(cluster, number).terminate();
    while node(cluster, number).readiness().await == Some(200) {
        sleep(LOOK).await;
    }
    timeline.tell("it is not ready any more");
    for mut pair in cluster.road.pairs(30).await {
        assert_ne!(pair.node, number);
        pair.exchange(100).await;
        pair.close().await;
    }
    pairs.extend(join_all(cluster, pending).await);
    for pair in &mut pairs {
        pair.exchange(1000).await;
    }
    assert!(node(cluster, number).is_running(), "the node has not waited for its tunnels");
    timeline.tell(format!(
        "30 new tunnels went to the others, {PENDING} pending ones were joined, all {} work",
        pairs.len()
    ));
    for pair in pairs {
        pair.close().await;
    }
    node(cluster, number).ended().await;
    timeline.tell("its tunnels have closed, and it has ended by itself");
    node(cluster, number).start().await;
    cluster.is_used(number).await;
    timeline.tell("it runs again and gets new tunnels");
}

/// Tunnels that were opened before the restart can still be joined, also at the node that drains.
async fn join_all(cluster: &Cluster, pending: Vec<Pending>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for pending in pending {
        pairs.push(pending.joined(&cluster.road, Case::Upper).await.unwrap());
    }
    pairs
}
