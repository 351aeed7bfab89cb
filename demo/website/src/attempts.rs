//! How often a password may be tried.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many wrong passwords in a row are free.
const FREE: u32 = 5;
/// How long the first wait is. Each further wrong password doubles it, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// When a name that was let alone starts again.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// The most names without an account that are remembered. The one that was let alone for longest makes room.
const MAX_NAMES: usize = 10_000;

struct Count {
    wrong: u32,
    last: Instant,
}

/// Whether a name is that of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Account,
    Nobody,
}

/// Wrong passwords by user name, whether there is such a user or not.
#[derive(Default)]
pub(crate) struct Attempts {
    /// As many as there are accounts at most. None makes room for another: a stranger who makes names up must not have
    /// a real one forgotten.
    accounts: HashMap<String, Count>,
    nobodies: HashMap<String, Count>,
}

impl Attempts {
    /// Counts an attempt before it is looked at, so that many at once are no way around. The time to wait if it may not
    /// be made.
    pub(crate) fn begin(&mut self, name: &str, owner: Owner, now: Instant) -> Result<(), Duration> {
        let by_name = match owner {
            Owner::Account => &mut self.accounts,
            Owner::Nobody => &mut self.nobodies,
        };
        if owner == Owner::Nobody && by_name.len() >= MAX_NAMES && !by_name.contains_key(name) {
            make_room(by_name, now);
        }
        let count = by_name.entry(name.to_owned()).or_insert(Count { wrong: 0, last: now });
        let quiet = now.saturating_duration_since(count.last);
        if quiet >= MEMORY {
            count.wrong = 0;
        }
        let left = wait(count.wrong).saturating_sub(quiet);
        if !left.is_zero() {
            return Err(left);
        }
        (count.wrong, count.last) = (count.wrong.saturating_add(1), now);
        Ok(())
    }

    /// The password was right.
    pub(crate) fn succeed(&mut self, name: &str) {
        self.accounts.remove(name);
    }
}

fn make_room(by_name: &mut HashMap<String, Count>, now: Instant) {
    by_name.retain(|_, count| now.saturating_duration_since(count.last) < MEMORY);
    if by_name.len() < MAX_NAMES {
        return;
    }
    let oldest = by_name.iter().min_by_key(|(_, count)| count.last);
    if let Some(name) = oldest.map(|(name, _)| name.clone()) {
        by_name.remove(&name);
    }
}

/// How long to wait after so many wrong ones.
fn wait(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(over) => FIRST_WAIT.saturating_mul(2_u32.saturating_pow(over)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_wrong_ones_each_takes_longer() {
        let (mut attempts, mut now) = (Attempts::default(), Instant::now());
        for _ in 0..5 {
            attempts.begin("ada", Owner::Account, now).unwrap();
        }
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            let wait = Duration::from_secs(seconds);
            assert_eq!(attempts.begin("ada", Owner::Account, now), Err(wait));
            now += wait;
            attempts.begin("ada", Owner::Account, now).unwrap();
        }
        attempts.begin("bob", Owner::Account, now).unwrap();
        attempts.succeed("ada");
        attempts.begin("ada", Owner::Account, now).unwrap();
    }

    #[test]
    fn an_hour_later_it_is_forgotten_and_memory_is_bounded() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..5 {
            attempts.begin("ada", Owner::Account, start).unwrap();
        }
        let later = start + MEMORY;
        for _ in 0..5 {
            attempts.begin("ada", Owner::Account, later).unwrap();
        }
        for number in 0..MAX_NAMES + 10 {
            let name = number.to_string();
            attempts.begin(&name, Owner::Nobody, later + Duration::from_secs(1)).unwrap();
        }
        assert_eq!((attempts.accounts.len(), attempts.nobodies.len()), (1, MAX_NAMES));
    }
}
