//! Memory that a crowd of tunnels leaves behind, given back to the system.
//!
//! The allocator of the GNU C library keeps what was freed below any block that is still in use, and there is always
//! one: after a busy hour the process would stay as large as the hour was. Asking it to look again costs milliseconds,
//! and only when the crowd has left.

use std::time::Duration;

use hybridge_relay::Service;
use tokio::time::interval;

/// How often the number of tunnels is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Fewer tunnels than this, of some kilobytes each, are not worth the work.
const CROWD: usize = 256;

/// Gives memory back whenever most tunnels of a crowd are gone.
pub(crate) async fn give_back(service: Service) {
    let mut look = interval(LOOK);
    let mut crowd = Crowd::default();
    loop {
        look.tick().await;
        if crowd.has_left(service.tunnel_count()) {
            let _ = tokio::task::spawn_blocking(trim).await;
        }
    }
}

/// The most tunnels since memory was last given back.
#[derive(Debug, Default)]
struct Crowd {
    most: usize,
}

impl Crowd {
    /// Whether most of the tunnels that there were are gone. Asked again, it is about those that come from now on.
    fn has_left(&mut self, tunnels: usize) -> bool {
        self.most = self.most.max(tunnels);
        let left = self.most >= CROWD && tunnels < self.most / 2;
        if left {
            self.most = tunnels;
        }
        left
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn trim() {
    // SAFETY: the call takes no pointer, may be made from any thread at any time, and moves nothing that is in use.
    let released = unsafe { libc::malloc_trim(0) };
    tracing::debug!(released = released == 1, "memory given back");
}

/// Other allocators give back by themselves, sooner or later.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_has_left_once() {
        let mut crowd = Crowd::default();
        let seen = [0, 5000, 9000, 5000, 4499, 4000, 3000, 2000, 1999, 900, 0, 0];
        let left: Vec<usize> = seen.into_iter().filter(|tunnels| crowd.has_left(*tunnels)).collect();
        assert_eq!(left, [4499, 2000, 900, 0]);
    }

    #[test]
    fn a_few_tunnels_are_no_crowd() {
        let mut crowd = Crowd::default();
        assert!(![255, 0, 100, 0].into_iter().any(|tunnels| crowd.has_left(tunnels)));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn freed_memory_below_a_block_in_use_is_given_back() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/statm").unwrap();
            status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        let mut blocks: Vec<Vec<u8>> = (0..64 << 10).map(|_| vec![1; 1000]).collect();
        let last = blocks.pop().unwrap();
        drop(blocks);
        let before = resident();
        trim();
        assert!(resident() + (32 << 20) < before, "{} bytes of {before} are left", resident());
        drop(last);
    }
}
