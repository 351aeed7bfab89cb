//! From facts to findings. No check looks at anything but the facts.

use super::{facts::System, finding::Finding};

mod bluetooth;
mod clock;
mod desktop;
mod key;
#[cfg(test)]
pub(super) mod samples;
mod tunnel;

/// All findings, in the order in which a person would mend things.
pub(super) fn findings(system: &System) -> Vec<Finding> {
    let mut findings = bluetooth::findings(&system.bluetooth);
    findings.extend(key::findings(&system.key));
    findings.extend(system.tunnels.iter().map(tunnel::finding));
    findings.push(clock::finding(&system.clock, &system.tunnels));
    findings.extend(desktop::findings(&system.desktop));
    findings
}
