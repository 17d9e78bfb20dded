//! Stories: tests that follow an event through the real functions.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is tests; clippy knows only functions marked as such"
)]

mod carts;
mod claims;
mod events;
mod files;
mod intake;
mod lanes;
mod logs;
mod metrics;
mod model;
mod numbers;
mod outcomes;
mod pending;
mod reasons;
mod records;
mod reminders;
mod repeats;
mod reports;
mod reviews;
mod schedule;
mod senders;
mod sending;
mod signing;
mod storm;
mod streams;
mod templates;
mod texts;
mod validation;
mod waiting;
