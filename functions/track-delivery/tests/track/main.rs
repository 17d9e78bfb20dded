//! The processing of platform events, tested through the real handler on emulators.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole crate is tests; clippy knows only functions marked as such"
)]

mod choices;
mod failures;
mod statuses;
mod templates;
mod world;
