//! The conformance checks for connections of `hybridge-ble`, over two adapters.

use hybridge_ble::conformance::l2cap::Check;

use crate::rig::SystemRig;
use crate::table::{Failure, Table};

/// Runs every check. The first adapter connects, the second advertises and is connected to.
///
/// # Errors
/// [`Failure::Radio`] when an adapter cannot be opened. What goes wrong later is in the table.
///
/// # Cancel safety
/// Dropping the future leaves nothing on the air and no connection open.
pub async fn run(scanner: &str, advertiser: &str) -> Result<Table, Failure> {
    let rig = SystemRig::open(scanner, advertiser).await?;
    let mut table = Table::new("L2CAP", Check::ALL.len());
    for check in Check::ALL {
        table.case(format!("{check:?}"), async { Ok(check.run(&rig).await?) }).await;
    }
    Ok(table)
}
