//! Service and floor in turns.

use crate::{
    args::{Common, Turns},
    error::Error,
    progress::Progress,
    report::{Report, Sample},
    subject::{Limits, Subject},
};

/// Measures a fresh service, then a fresh floor, as many times as asked for.
///
/// A machine that does other things beside this one is slow and fast for minutes. Neighbours in time share that, so
/// the ratio of two neighbours says more than the ratio of two sums.
pub(crate) async fn alternate(
    mode: &'static str,
    common: &Common,
    turns: Turns,
    progress: &Progress,
    mut measure: impl AsyncFnMut(&Subject, &str) -> Result<Sample, Error>,
) -> Result<Report, Error> {
    let mut report = Report::new(mode);
    for round in 1..=turns.rounds {
        let label = |name| format!("round {round} of {}, {name}", turns.rounds);
        let service = Subject::service(common, Limits::Lifted).await?;
        progress.start(label("service"), 0);
        let sample = measure(&service, &label("service")).await?;
        drop(service);
        let floor = if turns.no_floor {
            None
        } else {
            let floor = Subject::floor(common.tls).await?;
            progress.start(label("floor"), 0);
            Some(measure(&floor, &label("floor")).await?)
        };
        report.add(sample, floor);
    }
    Ok(report)
}
