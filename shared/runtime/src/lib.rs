//! Lambda and AWS support shared by all functions. It contains none of the bridge's decisions.
//!
//! - [`mod@env`] reads the environment; no other code does.
//! - [`aws`] builds the SDK's configuration with explicit timeouts.
//! - [`clock`] returns the time.
//! - [`telemetry`] sets up the log.
//! - [`metrics`] writes metrics into the log.
//! - [`secrets`] reads secrets and keeps them unprintable.
//! - [`batch`] applies a handler for one queue record to a batch of records.
//! - [`failure`] states why a record could not be finished, and records dead letters.
//! - [`cache`] keeps what was read for a while.

pub mod aws;
pub mod batch;
pub mod cache;
pub mod clock;
pub mod env;
pub mod failure;
pub mod metrics;
pub mod secrets;
pub mod telemetry;

pub use clock::Clock;
