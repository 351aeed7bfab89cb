//! The states that the nodes file gives: a draining node gets no new tunnels but its own can be joined, a disabled one
//! gets nothing.

use crate::{
    cluster::{Cluster, NUMBERS},
    peer::{Case, Pending},
    timeline::Timeline,
};

pub(crate) async fn check(cluster: &Cluster, timeline: &Timeline) {
    let [serving, draining, disabled] = NUMBERS;
    let state = move |number| match number {
        number if number == draining => "state = \"draining\"",
        number if number == disabled => "state = \"disabled\"",
        _ => "",
    };
    let (_proxy, road) = cluster.another_proxy(state).await;
    for mut pair in road.pairs(30).await {
        assert_eq!(pair.node, serving);
        pair.exchange(100).await;
    }
    let at_draining = opened_at(cluster, draining).await;
    at_draining.joined(&road, Case::Lower).await.unwrap().exchange(100).await;
    let at_disabled = opened_at(cluster, disabled).await;
    assert_eq!(at_disabled.joined(&road, Case::Lower).await.err(), Some(Some(404)));
    timeline.tell("a node that drains by the nodes file gets connects and no news, a disabled one neither");
}

/// A tunnel at a certain node, opened by way of the proxy that knows all nodes.
async fn opened_at(cluster: &Cluster, number: u8) -> Pending {
    loop {
        let pending = cluster.road.open(Case::Upper).await.unwrap();
        if pending.node() == number {
            return pending;
        }
    }
}
