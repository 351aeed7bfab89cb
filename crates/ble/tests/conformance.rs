//! The conformance checks over the simulated air, good and bad.

use std::sync::Arc;
use std::time::Duration;

use hybridge_ble::conformance::{self, Bounds, Check, Problem, Rig};
use hybridge_ble::sim::{Air, AirOptions, Probability, SimDevice};
use hybridge_ble::{Advertiser, DynAdvertiser, DynScanner, PayloadLimit, RadioError, Scanner};

/// Two simulated devices, behind any form of the traits.
struct SimRig<S, A> {
    scanner: S,
    advertiser: A,
    devices: (SimDevice, SimDevice),
    max_data: usize,
    bounds: Bounds,
}

impl<S: Scanner, A: Advertiser> Rig for SimRig<S, A> {
    type Scanner = S;
    type Advertiser = A;

    fn scanner(&self) -> &S {
        &self.scanner
    }

    fn advertiser(&self) -> &A {
        &self.advertiser
    }

    fn max_data(&self) -> usize {
        self.max_data
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn running_scans(&self) -> Result<Option<usize>, RadioError> {
        Ok(Some(self.devices.0.running_scans()))
    }

    async fn live_adverts(&self) -> Result<Option<usize>, RadioError> {
        Ok(Some(self.devices.1.live_adverts()))
    }
}

fn devices(seed: u64, options: &AirOptions) -> (SimDevice, SimDevice) {
    let air = Air::with_options(seed, options);
    (air.device("laptop"), air.device("phone"))
}

fn rig(seed: u64, options: &AirOptions) -> SimRig<SimDevice, SimDevice> {
    let devices = devices(seed, options);
    SimRig {
        scanner: devices.0.clone(),
        advertiser: devices.1.clone(),
        devices,
        max_data: options.payload.service_data(),
        bounds: Bounds {
            hear: Duration::from_secs(20),
            withdraw: options.delay + options.jitter + Duration::from_millis(1),
            quiet: Duration::from_secs(2),
        },
    }
}

async fn assert_all_kept(rig: &impl Rig) {
    let outcomes = conformance::run(rig).await;
    assert_eq!(outcomes.len(), Check::ALL.len());
    for outcome in outcomes {
        assert!(outcome.result.is_ok(), "{outcome}: {:?}", outcome.result);
    }
}

#[tokio::test(start_paused = true)]
async fn the_ideal_air_conforms() {
    assert_all_kept(&rig(1, &AirOptions::default())).await;
}

#[tokio::test(start_paused = true)]
async fn extended_adverts_conform() {
    let mut options = AirOptions::default();
    options.payload = PayloadLimit::EXTENDED;
    assert_all_kept(&rig(2, &options)).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_air_conforms() {
    for seed in 0..20 {
        let mut options = AirOptions::default();
        options.loss = Probability::new(0.4).expect("valid");
        options.duplication = Probability::new(0.5).expect("valid");
        options.delay = Duration::from_millis(30);
        options.jitter = Duration::from_millis(400);
        assert_all_kept(&rig(seed, &options)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_stored_forms_conform() {
    let plain = rig(3, &AirOptions::default());
    let scanner: Arc<dyn DynScanner> = Arc::new(plain.scanner);
    let advertiser: Arc<dyn DynAdvertiser> = Arc::new(plain.advertiser);
    let stored = SimRig {
        scanner,
        advertiser,
        devices: plain.devices,
        max_data: plain.max_data,
        bounds: plain.bounds,
    };
    assert_all_kept(&stored).await;
}

#[tokio::test(start_paused = true)]
async fn impossible_limits_of_a_rig_are_problems_and_not_panics() {
    let mut boasting = rig(5, &AirOptions::default());
    boasting.max_data = usize::MAX;
    for check in [Check::DataUntouched, Check::OversizeRefused] {
        let problem = check.run(&boasting).await.expect_err("24 bytes fit and no more");
        let refusal = matches!(problem, Problem::Radio { .. } | Problem::WrongRefusal(_));
        assert!(refusal, "{check:?}: {problem}");
    }
    let mut modest = rig(5, &AirOptions::default());
    modest.max_data = 0;
    assert!(Check::DataUntouched.run(&modest).await.is_ok());
    assert!(Check::OversizeRefused.run(&modest).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn endless_bounds_of_a_rig_do_not_overflow_the_clock() {
    let mut patient = rig(6, &AirOptions::default());
    patient.bounds = Bounds { hear: Duration::MAX, withdraw: Duration::MAX, quiet: Duration::from_secs(1) };
    assert!(Check::HeardUnderFido.run(&patient).await.is_ok());
    assert!(Check::NextIsCancelSafe.run(&patient).await.is_ok());
    assert!(Check::ScanDropStops.run(&patient).await.is_ok());
}

/// The one test on the real clock and several threads: the air promises to work there too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_air_conforms_in_real_time() {
    let mut options = AirOptions::default();
    options.interval = Duration::from_millis(20);
    let mut rig = rig(4, &options);
    rig.bounds = Bounds {
        hear: Duration::from_secs(10),
        withdraw: Duration::from_millis(50),
        quiet: Duration::from_millis(50),
    };
    tokio::spawn(async move { assert_all_kept(&rig).await }).await.expect("no panic");
}
