//! What every function needs from Lambda and AWS, and nothing of what the bridge decides.
//!
//! [`mod@env`] reads the environment (nothing else may), [`aws`] builds the SDK's configuration with explicit time-outs,
//! [`clock`] tells the time, [`telemetry`] sets up the log, [`metrics`] writes numbers into it, [`secrets`] reads secrets so that they can't be printed,
//! and [`batch`] lifts the handling of one queue record to a batch of them.

pub mod aws;
pub mod batch;
pub mod clock;
pub mod env;
pub mod metrics;
pub mod secrets;
pub mod telemetry;

pub use clock::Clock;
