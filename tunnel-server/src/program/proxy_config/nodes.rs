//! The nodes file.
//!
//! ```toml
//! [[node]]
//! number = 1                   # as in the node's own configuration
//! address = "10.0.0.1:8080"    # where it serves tunnels
//! health = "10.0.0.1:9091"     # where its admin listener is
//!
//! [[node]]
//! number = 2
//! address = "10.0.0.2:8080"
//! health = "10.0.0.2:9091"
//! state = "draining"           # or "disabled", or "serving", which is the default
//! ```

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use super::address::Address;

/// All nodes, in the order of their numbers. At least one of them serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nodes(Vec<Node>);

/// One machine of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// What the routing IDs of its tunnels begin with.
    pub(crate) number: u8,
    /// Where it serves tunnels.
    pub(crate) address: Address,
    /// Where its admin listener answers `/readyz`.
    pub(crate) health: Address,
    /// What it is given to do.
    #[serde(default)]
    pub(crate) state: State,
}

/// What a node is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It takes new tunnels.
    #[default]
    Serving,
    /// It takes no new tunnels; those that it has can be joined.
    Draining,
    /// Nothing is sent to it.
    Disabled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    node: Vec<Node>,
}

/// What is wrong with a nodes file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum NodesError {
    /// It is not TOML, or not of this form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// It lists no node.
    #[error("it lists no node; begin one with [[node]], then number, address and health")]
    NoNodes,
    /// Two nodes have one number.
    #[error(
        "node number {0} is given twice; give each node a number of its own, and its program the same one"
    )]
    Number(u8),
    /// Two nodes are at one address.
    #[error("nodes {first} and {second} are both at {address}; give each its own address")]
    Address {
        /// The smaller number.
        first: u8,
        /// The larger number.
        second: u8,
        /// Where both are.
        address: Address,
    },
    /// No node takes new tunnels.
    #[error("no node is serving, so that no new tunnel could be opened; leave at least one without a state")]
    NoneServing,
}

impl Nodes {
    /// Reads a nodes file.
    ///
    /// # Errors
    /// [`NodesError`], which says what to change.
    pub(crate) fn parse(text: &str) -> Result<Self, NodesError> {
        let File { node: mut nodes } = toml::from_str(text)?;
        nodes.sort_by_key(|node| node.number);
        if nodes.is_empty() {
            return Err(NodesError::NoNodes);
        }
        for pair in nodes.windows(2) {
            if let [a, b] = pair
                && a.number == b.number
            {
                return Err(NodesError::Number(a.number));
            }
        }
        let mut seen = HashMap::new();
        for node in &nodes {
            // Two nodes may well share a machine, so that only the service's own address tells them apart.
            if let Some(first) = seen.insert(&node.address, node.number) {
                return Err(NodesError::Address {
                    first,
                    second: node.number,
                    address: node.address.clone(),
                });
            }
        }
        if nodes.iter().all(|node| node.state != State::Serving) {
            return Err(NodesError::NoneServing);
        }
        Ok(Self(nodes))
    }

    /// Those that tunnels can be joined at.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().filter(|node| node.state != State::Disabled)
    }

    /// Those that take new tunnels.
    pub(crate) fn serving(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().filter(|node| node.state == State::Serving)
    }
}

impl Node {
    /// The number as it stands in routing IDs: two hex digits, in upper case.
    pub(crate) fn hex(&self) -> String {
        format!("{:02X}", self.number)
    }
}
