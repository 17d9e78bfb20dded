//! What a message costs: every request, every request unit and every log byte, counted through the real functions.
//!
//! ```bash
//! cargo test --workspace --test costs                          # compares the counts with docs/costs.md
//! BRIDGE_WRITE_COSTS=1 cargo test --workspace --test costs     # writes the tables of docs/costs.md
//! ```
//!
//! This is a binary of its own, because it measures the log, and the tests of a binary share one file.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole crate is tests; clippy knows only functions marked as such"
)]

mod counted;
mod page;
mod prices;
mod scenario;

use page::Page;
use scenario::Scenario;

/// The most write units of a message that is sent and reported alone.
const WRITE_UNITS_MAX: f64 = 20.1;

/// One test, because scenarios at the same time would count each other's log lines.
#[tokio::test]
async fn the_page_has_the_counted_costs() {
    let refused = scenario::repeated().await.writes;
    // The claim of a repeated state has one write to the ledger and three to the contacts, which count double.
    assert_eq!(refused.get("ledger TransactWriteItems (refused)"), Some(&2.0), "{refused:?}");
    assert_eq!(refused.get("contacts TransactWriteItems (refused)"), Some(&6.0), "{refused:?}");
    let alone = Scenario { batch: 1, messages: 10 }.run().await;
    let in_batches = Scenario { batch: 10, messages: 20 }.run().await;
    let idle = scenario::idle_minute().await;
    let page = Page::new([&alone, &in_batches], &idle);
    if std::env::var_os("BRIDGE_WRITE_COSTS").is_some() {
        page.write();
    }
    page.compare();
    // Sums of tenths are not exact.
    assert!(alone.each(alone.bill.write_units()) <= WRITE_UNITS_MAX + 0.001, "{:?}", alone.bill.writes);
}
