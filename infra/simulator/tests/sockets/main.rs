//! The simulator over real sockets, as used by the bridge and the test suites.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

mod control;
mod faults;
mod inbound;
mod lists;
mod page;
mod receiver;
mod sends;
mod statuses;
mod world;
