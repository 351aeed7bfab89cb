//! What each source holds and asks for.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Source, rate::Bucket};

/// The most sources that are kept in mind. Further ones are bounded by the limits of the whole service only: who
/// commands so many addresses is not held up by limits per address anyway, and others should not suffer for it.
const MAX_ACCOUNTS: usize = 100_000;
/// Below so many sources, idle ones are not looked for.
const FEW: usize = 256;
/// The least time between two searches for idle sources while the memory for them is used up.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// An account per source that holds something or has asked for something lately. Idle ones are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    accounts: HashMap<Source, Account>,
    /// At how many accounts idle ones are looked for next.
    sweep_at: usize,
    swept: Option<Instant>,
}

/// What a source has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Account {
    pub(crate) connections: usize,
    pub(crate) tunnels: usize,
    pub(crate) new: Bucket,
    pub(crate) connect: Bucket,
}

impl Account {
    fn is_idle(&self, now: Instant) -> bool {
        self.connections == 0 && self.tunnels == 0 && self.new.is_full(now) && self.connect.is_full(now)
    }
}

impl Accounts {
    /// The account of a source, opened if there is none. None for an unknown source, and where there are as many
    /// accounts as may be.
    pub(crate) fn account(&mut self, source: Source, now: Instant) -> Option<&mut Account> {
        if !source.is_known() {
            return None;
        }
        if !self.accounts.contains_key(&source) && !self.make_room(now) {
            return None;
        }
        Some(self.accounts.entry(source).or_default())
    }

    /// The account of a source that holds something.
    pub(crate) fn existing(&mut self, source: Source) -> Option<&mut Account> {
        self.accounts.get_mut(&source)
    }

    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Forgets idle accounts when it is time to; false when there is no room for one more.
    fn make_room(&mut self, now: Instant) -> bool {
        let full = self.accounts.len() >= MAX_ACCOUNTS;
        let rested = self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL);
        if self.accounts.len() >= self.sweep_at.max(FEW) && (!full || rested) {
            self.accounts.retain(|_, account| !account.is_idle(now));
            self.accounts.shrink_to(FEW);
            self.sweep_at = self.accounts.len().saturating_mul(2).min(MAX_ACCOUNTS);
            self.swept = Some(now);
        }
        self.accounts.len() < MAX_ACCOUNTS
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::limits::Rate;

    const RATE: Rate = Rate { per_minute: 60, burst: 10 };

    fn source(number: u32) -> Source {
        IpAddr::from(Ipv4Addr::from(0x0A00_0000 + number)).into()
    }

    /// Takes one off a rate; a source without an account may always.
    fn ask(accounts: &mut Accounts, number: u32, now: Instant) -> Result<(), Duration> {
        accounts.account(source(number), now).map_or(Ok(()), |account| account.new.take(RATE, now))
    }

    #[test]
    fn idle_sources_are_forgotten() {
        let start = Instant::now();
        let mut accounts = Accounts::default();
        for number in 0..200_000 {
            // A thousand different sources a second, each of which is idle a second later.
            let now = start + Duration::from_millis(number.into());
            ask(&mut accounts, number, now).unwrap();
            assert!(accounts.len() <= 2_300, "{}", accounts.len());
        }
    }

    #[test]
    fn busy_sources_are_remembered() {
        let start = Instant::now();
        let mut accounts = Accounts::default();
        accounts.account(source(0), start).unwrap().connections = 1;
        accounts.account(source(1), start).unwrap().tunnels = 1;
        for _ in 0..10 {
            ask(&mut accounts, 2, start).unwrap();
        }
        for number in 10..5_000 {
            ask(&mut accounts, number, start + Duration::from_millis(500)).unwrap();
        }
        assert_eq!(accounts.existing(source(0)).unwrap().connections, 1);
        assert_eq!(accounts.existing(source(1)).unwrap().tunnels, 1);
        assert!(ask(&mut accounts, 2, start + Duration::from_millis(999)).is_err());
    }

    #[test]
    fn more_sources_than_can_be_remembered_are_let_through_and_room_comes_back() {
        let start = Instant::now();
        let mut accounts = Accounts::default();
        for number in 0..150_000 {
            ask(&mut accounts, number, start).unwrap();
        }
        assert_eq!(accounts.len(), MAX_ACCOUNTS);
        for _ in 0..20 {
            ask(&mut accounts, 140_000, start).unwrap();
        }
        ask(&mut accounts, 140_000, start + Duration::from_secs(2)).unwrap();
        assert_eq!(accounts.len(), 1);
    }

    #[test]
    fn nobody_in_particular_has_no_account() {
        let mut accounts = Accounts::default();
        assert!(accounts.account(Source::UNKNOWN, Instant::now()).is_none());
        assert_eq!(accounts.len(), 0);
    }
}
