//! Models of what the bridge promises: every state within stated bounds is looked at, not a sample of them.
//!
//! | model | what |
//! |---|---|
//! | `sending` | messages: recorded, claimed, called, settled, put back, swept, reported, sent again by a person |
//! | `reminders` | an activity's reminder: saved, moved, cancelled, fired, fired again |
//! | `accounts` | an account: stopped, probed, started |
//!
//! Each model has its tables in memory. A test of each replays random traces against the store on the embedded emulator
//! and compares each answer and the end, so that model and code cannot drift. `docs/protocol.md` has the bounds and the
//! figures.
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
