//! The nodes and the proxy in front of them.

use std::path::{Path, PathBuf};

use hybridge_tunnel::WebSocketDialer;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    certificate::Trust,
    node::{LOOK, Node},
    peer::{Case, Road},
    proxy::{Engine, Proxy},
    timeline::Timeline,
};

/// The nodes' numbers: one with a letter as first and one with a letter as second hex digit.
pub(crate) const NUMBERS: [u8; 3] = [0x01, 0x2C, 0xF3];

pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) proxy: Proxy,
    pub(crate) road: Road,
    engine: Engine,
    relay: PathBuf,
    folder: TempDir,
}

impl Cluster {
    /// Starts three nodes and the proxy.
    pub(crate) async fn start(engine: Engine, relay: &Path, timeline: &Timeline) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // nginx writes there, if anywhere.
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let trust = Trust::create(folder.path());
        let mut nodes: Vec<_> = NUMBERS.into_iter().map(|number| Node::new(number, relay, engine)).collect();
        for node in &mut nodes {
            node.start().await;
            timeline.tell(format!("node {:02X} listens", node.number));
        }
        let proxy = Proxy::start(engine, relay, folder.path(), &nodes, |_| "").await;
        timeline.tell(format!("{engine:?} listens with TLS"));
        let road = Road { address: proxy.address, trust };
        Self { nodes, proxy, road, engine, relay: relay.to_owned(), folder }
    }

    /// One more proxy, to which some nodes have another state.
    pub(crate) async fn another_proxy(&self, state: impl Fn(u8) -> &'static str) -> (Proxy, Road) {
        let proxy = Proxy::start(self.engine, &self.relay, self.folder.path(), &self.nodes, state).await;
        let road = Road { address: proxy.address, trust: self.road.trust.clone() };
        (proxy, road)
    }

    /// What phones and laptops dial with.
    pub(crate) fn dialer(&self) -> WebSocketDialer {
        self.road.trust.dialer().with_address(self.proxy.address)
    }

    /// Waits until the proxy gives new tunnels to a node.
    pub(crate) async fn is_used(&self, number: u8) {
        loop {
            // Whatever is opened here is closed at once; its phone has left.
            if self.road.open(Case::Upper).await.is_ok_and(|pending| pending.node() == number) {
                return;
            }
            sleep(LOOK).await;
        }
    }
}
