//! How far the models look.

use runtime::env::Environment;

/// Trouble of each kind besides what a test has: none, or what `BRIDGE_PROTOCOL_MORE` says, for a run by hand.
pub(crate) fn more() -> u8 {
    Environment::process().optional("BRIDGE_PROTOCOL_MORE").map_or(0, |more| more.parse().unwrap())
}
