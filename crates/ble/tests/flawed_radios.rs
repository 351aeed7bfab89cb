//! Every conformance check notices the flaw it is there for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hybridge_ble::conformance::{Bounds, Check, Problem, Rig};
use hybridge_ble::sim::{Air, AirOptions, Probability, SimAdvert, SimDevice, SimScan};
use hybridge_ble::{Advertisement, Advertiser, RadioError, Scan, Scanner, ServiceUuid, Sighting};

/// What is wrong with a radio.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    DeafTo(ServiceUuid),
    RefusesConnectable,
    TrimsZeros,
    CutsTo(usize),
    SwapsUuids,
    OneSlot,
    WithdrawsAll,
    NeverWithdraws,
    LeavesRegistered,
    EndsAllRegistered,
    SaysNothing,
    WithdrawsEarly,
    ReportsOnceEver,
    OneScan,
    EndsAllScans,
    NeverStopsScanning,
    NeverStarts,
    LosesOnCancel,
    SendsCutOversize,
    RefusesOversizeWrongly,
    MiscountsOversize,
    SendsThenRefusesOversize,
}

/// What a flawed radio keeps.
#[derive(Default)]
struct Books {
    /// The adverts on the air, by number.
    adverts: BTreeMap<usize, SimAdvert>,
    numbers: usize,
    scans: usize,
    reported: BTreeSet<Vec<u8>>,
}

/// A pair of simulated devices with a flaw between them and the checks.
#[derive(Clone)]
struct Flawed {
    flaw: Flaw,
    laptop: SimDevice,
    phone: SimDevice,
    books: Arc<Mutex<Books>>,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self::over(&Air::new(5), flaw)
    }

    fn over(air: &Air, flaw: Flaw) -> Self {
        Self { flaw, laptop: air.device("laptop"), phone: air.device("phone"), books: Arc::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Whether it says what it is doing.
    fn asked(&self) -> Result<(), RadioError> {
        match self.flaw {
            Flaw::SaysNothing => Err(RadioError::ServiceGone),
            _ => Ok(()),
        }
    }

    /// Takes over an advert and gives its number.
    fn keep(&self, advert: SimAdvert) -> usize {
        let mut books = self.books();
        if self.flaw == Flaw::OneSlot {
            books.adverts.clear();
        }
        books.numbers += 1;
        let number = books.numbers;
        books.adverts.insert(number, advert);
        number
    }
}

impl Rig for Flawed {
    type Scanner = Self;
    type Advertiser = Self;

    fn scanner(&self) -> &Self {
        self
    }

    fn advertiser(&self) -> &Self {
        self
    }

    fn max_data(&self) -> usize {
        24
    }

    fn bounds(&self) -> Bounds {
        let second = Duration::from_secs(1);
        Bounds { hear: second, withdraw: second, quiet: second }
    }

    async fn running_scans(&self) -> Result<Option<usize>, RadioError> {
        self.asked()?;
        Ok(Some(self.laptop.running_scans()))
    }

    async fn live_adverts(&self) -> Result<Option<usize>, RadioError> {
        self.asked()?;
        let told = matches!(self.flaw, Flaw::LeavesRegistered | Flaw::EndsAllRegistered);
        Ok(told.then(|| self.phone.live_adverts()))
    }
}

struct FlawedScan {
    inner: Option<SimScan>,
    rig: Flawed,
}

impl Scanner for Flawed {
    type Scan = FlawedScan;

    async fn scan(&self) -> Result<FlawedScan, RadioError> {
        if self.flaw == Flaw::NeverStarts {
            std::future::pending::<()>().await;
        }
        if self.flaw == Flaw::OneScan && self.books().scans > 0 {
            return Err(RadioError::Driver { action: "scan", source: "in progress".into() });
        }
        self.books().scans += 1;
        Ok(FlawedScan { inner: Some(self.laptop.scan().await?), rig: self.clone() })
    }
}

impl Scan for FlawedScan {
    async fn next(&mut self) -> Result<Sighting, RadioError> {
        loop {
            if self.rig.flaw == Flaw::EndsAllScans && self.rig.books().scans == 0 {
                std::future::pending::<()>().await;
            }
            let mut heard = self.inner.as_mut().unwrap().next().await?;
            match self.rig.flaw {
                Flaw::DeafTo(uuid) if uuid == heard.uuid => continue,
                Flaw::ReportsOnceEver if !self.rig.books().reported.insert(heard.data.clone()) => {
                    continue;
                }
                Flaw::TrimsZeros => {
                    let kept = heard.data.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                    heard.data.truncate(kept);
                }
                Flaw::CutsTo(length) => heard.data.truncate(length),
                Flaw::SwapsUuids => heard.uuid = ServiceUuid::Fido,
                Flaw::LosesOnCancel => tokio::task::yield_now().await,
                _ => {}
            }
            return Ok(heard);
        }
    }
}

impl Drop for FlawedScan {
    fn drop(&mut self) {
        let mut books = self.rig.books();
        books.scans = if self.rig.flaw == Flaw::EndsAllScans { 0 } else { books.scans - 1 };
        if self.rig.flaw == Flaw::NeverStopsScanning {
            std::mem::forget(self.inner.take());
        }
    }
}

struct FlawedHandle {
    number: usize,
    rig: Flawed,
}

impl Advertiser for Flawed {
    type Handle = FlawedHandle;

    async fn advertise(&self, mut advert: Advertisement) -> Result<FlawedHandle, RadioError> {
        let actual = advert.data.len();
        if actual > 24 {
            advert.data.truncate(24);
            let max = if self.flaw == Flaw::MiscountsOversize { 31 } else { 24 };
            match self.flaw {
                Flaw::SendsCutOversize => {}
                Flaw::RefusesOversizeWrongly => {
                    return Err(RadioError::Driver { action: "advertise", source: "too long".into() });
                }
                Flaw::SendsThenRefusesOversize => {
                    self.keep(self.phone.advertise(advert).await?);
                    return Err(RadioError::AdvertTooLarge { actual, max });
                }
                _ => return Err(RadioError::AdvertTooLarge { actual, max }),
            }
        }
        if self.flaw == Flaw::RefusesConnectable && advert.connectable {
            return Err(RadioError::Unsupported { action: "accept connections" });
        }
        let number = self.keep(self.phone.advertise(advert).await?);
        if self.flaw == Flaw::WithdrawsEarly {
            let rig = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                rig.books().adverts.remove(&number);
            });
        }
        Ok(FlawedHandle { number, rig: self.clone() })
    }
}

impl Drop for FlawedHandle {
    fn drop(&mut self) {
        let mut books = self.rig.books();
        match self.rig.flaw {
            Flaw::NeverWithdraws | Flaw::LeavesRegistered => {}
            Flaw::WithdrawsAll | Flaw::EndsAllRegistered => books.adverts.clear(),
            _ => drop(books.adverts.remove(&self.number)),
        }
    }
}

async fn problem(flaw: Flaw, check: Check) -> Problem {
    let result = check.run(&Flawed::new(flaw)).await;
    result.expect_err("the check must notice the flaw")
}

#[tokio::test(start_paused = true)]
async fn the_wrapper_without_a_flaw_conforms() {
    for check in Check::ALL {
        check.run(&Flawed::new(Flaw::None)).await.unwrap_or_else(|problem| panic!("{check:?}: {problem}"));
    }
}

#[tokio::test(start_paused = true)]
async fn deaf_radios_are_noticed() {
    for (flaw, check) in [
        (Flaw::DeafTo(ServiceUuid::Fido), Check::HeardUnderFido),
        (Flaw::DeafTo(ServiceUuid::Google), Check::HeardUnderGoogle),
        (Flaw::OneSlot, Check::TwoAdverts),
        (Flaw::WithdrawsAll, Check::OneOfTwoWithdrawn),
        (Flaw::WithdrawsEarly, Check::ScanAfterAdvert),
        (Flaw::ReportsOnceEver, Check::ScanAgain),
        (Flaw::EndsAllScans, Check::TwoScans),
        (Flaw::LosesOnCancel, Check::NextIsCancelSafe),
    ] {
        let problem = problem(flaw, check).await;
        assert!(matches!(problem, Problem::NotHeard { missing: 1, .. }), "{check:?}: {problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn changed_data_is_noticed() {
    for (flaw, check) in [
        (Flaw::TrimsZeros, Check::DataUntouched),
        (Flaw::CutsTo(20), Check::DataUntouched),
        (Flaw::SwapsUuids, Check::HeardUnderGoogle),
    ] {
        let problem = problem(flaw, check).await;
        assert!(matches!(problem, Problem::Changed { .. }), "{check:?}: {problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_after_a_drop_is_noticed() {
    assert!(matches!(problem(Flaw::NeverWithdraws, Check::Withdrawn).await, Problem::StillHeard));
    assert!(matches!(problem(Flaw::NeverWithdraws, Check::OneOfTwoWithdrawn).await, Problem::StillHeard));
    for (flaw, check, found, wanted) in [
        (Flaw::LeavesRegistered, Check::Withdrawn, 1, 0),
        (Flaw::LeavesRegistered, Check::OneOfTwoWithdrawn, 2, 1),
        (Flaw::EndsAllRegistered, Check::OneOfTwoWithdrawn, 0, 1),
        (Flaw::NeverStopsScanning, Check::ScanDropStops, 8, 0),
    ] {
        let problem = problem(flaw, check).await;
        let Problem::WrongCount { count, expected, .. } = problem else { panic!("{check:?}: {problem}") };
        assert_eq!((count, expected), (found, wanted), "{check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_that_does_not_say_what_it_does_is_noticed() {
    for check in [Check::Withdrawn, Check::OneOfTwoWithdrawn, Check::ScanDropStops] {
        let problem = problem(Flaw::SaysNothing, check).await;
        assert!(
            matches!(problem, Problem::Radio { action: "tell what it does", .. }),
            "{check:?}: {problem}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn radios_that_do_not_start_are_noticed() {
    let stuck = problem(Flaw::NeverStarts, Check::HeardUnderFido).await;
    assert!(matches!(stuck, Problem::Stuck { action: "scan", .. }), "{stuck}");
    let busy = problem(Flaw::OneScan, Check::TwoScans).await;
    assert!(matches!(busy, Problem::Radio { action: "scan", .. }), "{busy}");
    let refused = problem(Flaw::RefusesConnectable, Check::HeardConnectable).await;
    assert!(matches!(refused, Problem::Radio { action: "advertise", .. }), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn wrong_answers_to_too_much_data_are_noticed() {
    let check = Check::OversizeRefused;
    let accepted = problem(Flaw::SendsCutOversize, check).await;
    assert!(matches!(accepted, Problem::OversizeAccepted { length: 25, max: 24 }), "{accepted}");
    for flaw in [Flaw::RefusesOversizeWrongly, Flaw::MiscountsOversize] {
        let wrong = problem(flaw, check).await;
        assert!(matches!(wrong, Problem::WrongRefusal(_)), "{wrong}");
    }
    let sent = problem(Flaw::SendsThenRefusesOversize, check).await;
    assert!(matches!(sent, Problem::Changed { heard: 24 }), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn old_adverts_in_a_running_scan_are_noticed() {
    let mut options = AirOptions::default();
    options.stale = Probability::ALWAYS;
    let rig = Flawed::over(&Air::with_options(6, &options), Flaw::None);
    let problem = Check::OneOfTwoWithdrawn.run(&rig).await.expect_err("stale adverts");
    assert!(matches!(problem, Problem::StillHeard), "{problem}");
}
