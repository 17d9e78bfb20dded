//! The bounds of the models.

use runtime::env::Environment;

/// Returns how many faults of each kind to add to those of a test. The default is zero. `BRIDGE_PROTOCOL_MORE` sets it
/// for a manual run.
pub(crate) fn more() -> u8 {
    Environment::process().optional("BRIDGE_PROTOCOL_MORE").map_or(0, |more| more.parse().unwrap())
}
