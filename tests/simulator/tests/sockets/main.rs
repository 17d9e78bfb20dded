//! The simulator over real sockets, as the bridge and the suites meet it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod control;
mod faults;
mod lists;
mod page;
mod sends;
mod world;
