//! Models of the bridge's guarantees. The model checker visits every state within stated bounds, not a sample.
//!
//! | model | scope |
//! |---|---|
//! | `sending` | messages: recorded, claimed, called, settled, put back, swept, reported, resent by an operator |
//! | `reminders` | an activity's reminder: saved, moved, cancelled, fired, fired again |
//! | `accounts` | an account: stopped, probed, started |
//!
//! Each model has its tables in memory. A test of each model replays random traces against the store on the embedded
//! emulator. It compares each response and the final tables, so that model and code stay equal. `docs/protocol.md`
//! lists the bounds and the figures.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is tests; clippy knows only functions marked as such"
)]

mod accounts;
mod bounds;
mod fixtures;
mod random;
mod reminders;
mod sending;
mod world;
