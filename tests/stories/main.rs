//! Stories: what happens to an event, told through the real functions.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the whole crate is tests; clippy knows only functions marked as such"
)]

mod intake;
mod outcomes;
mod sending;
