//! The conformance checks of `hybridge-ble`, over two adapters.

use hybridge_ble::conformance::Check;

use crate::rig::SystemRig;
use crate::table::{Failure, Table};

/// Runs every check. The first adapter listens, the second advertises.
///
/// # Errors
/// [`Failure::Radio`] when an adapter cannot be opened. What goes wrong later is in the table.
///
/// # Cancel safety
/// Dropping the future leaves nothing on the air.
pub async fn run(scanner: &str, advertiser: &str) -> Result<Table, Failure> {
    let rig = SystemRig::open(scanner, advertiser).await?;
    let mut table = Table::new("conformance", Check::ALL.len());
    for check in Check::ALL {
        table.case(format!("{check:?}"), async { Ok(check.run(&rig).await?) }).await;
    }
    Ok(table)
}
