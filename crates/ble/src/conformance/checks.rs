//! The checks themselves.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::listen::{Series, advertise, after, scan};
use super::{Check, Problem, Rig};
use crate::{Advertisement, Advertiser, PayloadLimit, RadioError, ServiceUuid};

pub(super) async fn run(check: Check, rig: &impl Rig) -> Result<(), Problem> {
    match check {
        Check::HeardUnderFido => heard_under(rig, ServiceUuid::Fido).await,
        Check::HeardUnderGoogle => heard_under(rig, ServiceUuid::Google).await,
        Check::HeardConnectable => heard_connectable(rig).await,
        Check::DataUntouched => data_untouched(rig).await,
        Check::TwoAdverts => two_adverts(rig).await,
        Check::OneOfTwoWithdrawn => one_of_two_withdrawn(rig).await,
        Check::Withdrawn => withdrawn(rig).await,
        Check::ScanAfterAdvert => scan_after_advert(rig).await,
        Check::ScanAgain => scan_again(rig).await,
        Check::TwoScans => two_scans(rig).await,
        Check::ScanDropStops => scan_drop_stops(rig).await,
        Check::NextIsCancelSafe => next_is_cancel_safe(rig).await,
        Check::OversizeRefused => oversize_refused(rig).await,
    }
}

async fn heard_under(rig: &impl Rig, uuid: ServiceUuid) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.advert(uuid, Series::SHORTEST, 0x5A);
    heard(rig, &series, &advert).await
}

async fn heard_connectable(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.plain().connectable();
    let mut scan = scan(rig).await?;
    let _handle = advertise(rig, &advert).await?;
    let heard = Advertisement { connectable: false, ..advert };
    series.hear(&mut scan, &[&heard], rig.bounds()).await
}

async fn data_untouched(rig: &impl Rig) -> Result<(), Problem> {
    let most = max_data(rig);
    let between = usize::midpoint(Series::SHORTEST, most);
    for length in [Series::SHORTEST, Series::SHORTEST.saturating_add(1).min(most), between, most] {
        for filling in [0x00, 0x7F, 0xFF] {
            let mut series = Series::new(rig);
            let advert = series.advert(ServiceUuid::Fido, length, filling);
            heard(rig, &series, &advert).await?;
        }
    }
    Ok(())
}

async fn two_adverts(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let first = series.plain();
    let second = series.advert(ServiceUuid::Google, Series::SHORTEST, 0x3C);
    let mut scan = scan(rig).await?;
    let _handles = (advertise(rig, &first).await?, advertise(rig, &second).await?);
    series.hear(&mut scan, &[&first, &second], rig.bounds()).await
}

async fn one_of_two_withdrawn(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let (leaving, staying) = (series.plain(), series.plain());
    let mut scan_of_both = scan(rig).await?;
    let (gone, _kept) = (advertise(rig, &leaving).await?, advertise(rig, &staying).await?);
    series.hear(&mut scan_of_both, &[&leaving, &staying], rig.bounds()).await?;
    drop(gone);
    left(1, rig.bounds().withdraw, || rig.live_adverts()).await?;
    series.silence(&mut scan_of_both, &[&leaving], rig.bounds().withdraw, rig.bounds()).await?;
    // A fresh scan, because a radio may report an advert that does not change only once to each scan.
    series.hear(&mut scan(rig).await?, &[&staying], rig.bounds()).await
}

async fn withdrawn(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.plain();
    let mut scan = scan(rig).await?;
    let handle = advertise(rig, &advert).await?;
    series.hear(&mut scan, &[&advert], rig.bounds()).await?;
    drop(handle);
    left(0, rig.bounds().withdraw, || rig.live_adverts()).await?;
    series.silence(&mut scan, &[&advert], rig.bounds().withdraw, rig.bounds()).await
}

async fn scan_after_advert(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.plain();
    let _handle = advertise(rig, &advert).await?;
    sleep(rig.bounds().quiet).await;
    series.hear(&mut scan(rig).await?, &[&advert], rig.bounds()).await
}

async fn scan_again(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.plain();
    let _handle = advertise(rig, &advert).await?;
    for _ in 0..3 {
        series.hear(&mut scan(rig).await?, &[&advert], rig.bounds()).await?;
    }
    Ok(())
}

async fn two_scans(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let (early, late) = (series.plain(), series.plain());
    let (mut first, mut second) = (scan(rig).await?, scan(rig).await?);
    let _early = advertise(rig, &early).await?;
    series.hear(&mut first, &[&early], rig.bounds()).await?;
    series.hear(&mut second, &[&early], rig.bounds()).await?;
    drop(first);
    let _late = advertise(rig, &late).await?;
    series.hear(&mut second, &[&late], rig.bounds()).await
}

async fn scan_drop_stops(rig: &impl Rig) -> Result<(), Problem> {
    for _ in 0..8 {
        drop(scan(rig).await?);
    }
    left(0, rig.bounds().withdraw, || rig.running_scans()).await?;
    let mut series = Series::new(rig);
    let advert = series.plain();
    heard(rig, &series, &advert).await?;
    left(0, rig.bounds().withdraw, || rig.running_scans()).await
}

async fn next_is_cancel_safe(rig: &impl Rig) -> Result<(), Problem> {
    let mut series = Series::new(rig);
    let advert = series.plain();
    let mut scan = scan(rig).await?;
    let _handle = advertise(rig, &advert).await?;
    series.hear_in_glimpses(&mut scan, &advert, rig.bounds()).await
}

async fn oversize_refused(rig: &impl Rig) -> Result<(), Problem> {
    let max = max_data(rig);
    let mut series = Series::new(rig);
    let mut scan = scan(rig).await?;
    let lengths = [max.saturating_add(1), max.saturating_add(256), 65_536];
    let adverts = lengths.map(|length| series.advert(ServiceUuid::Fido, length, 0xA5));
    for advert in &adverts {
        let (length, bound) = (advert.data.len(), rig.bounds().hear);
        let result = timeout(bound, rig.advertiser().advertise(advert.clone())).await;
        match result.map_err(|_| Problem::Stuck { action: "refuse an advert", bound })? {
            Ok(_) => return Err(Problem::OversizeAccepted { length, max }),
            Err(RadioError::AdvertTooLarge { actual, max: told }) if (actual, told) == (length, max) => {}
            Err(other) => return Err(Problem::WrongRefusal(other)),
        }
    }
    series.silence(&mut scan, &adverts.each_ref(), Duration::ZERO, rig.bounds()).await
}

/// The rig's limit, within what the checks can work with.
fn max_data(rig: &impl Rig) -> usize {
    let field = PayloadLimit::of_advertising_data(usize::MAX).service_data();
    rig.max_data().clamp(Series::SHORTEST, field)
}

/// Scans, advertises and listens.
async fn heard(rig: &impl Rig, series: &Series, advert: &Advertisement) -> Result<(), Problem> {
    let mut scan = scan(rig).await?;
    let _handle = advertise(rig, advert).await?;
    series.hear(&mut scan, &[advert], rig.bounds()).await
}

/// Waits until the system reports that so many are left, if it knows.
async fn left<F>(expected: usize, bound: Duration, probe: impl Fn() -> F) -> Result<(), Problem>
where
    F: Future<Output = Result<Option<usize>, RadioError>>,
{
    let end = after(bound);
    loop {
        let count = probe().await.map_err(|source| Problem::Radio { action: "tell what it does", source })?;
        match count {
            None => return Ok(()),
            Some(count) if count == expected => return Ok(()),
            Some(count) if Instant::now() >= end => {
                return Err(Problem::WrongCount { count, expected, bound });
            }
            Some(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
