//! The system clock and random names: the only source of either in the local run.

use anyhow::{Context, Result};
use jiff::Timestamp;
use runtime::Clock;

/// Returns the present time. The local run takes the place of AWS, so it uses the machine's clock.
#[must_use]
pub fn now() -> Timestamp {
    Clock::system().now()
}

/// Returns `N` random bytes from the operating system.
///
/// # Errors
/// When the operating system cannot provide them.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the operating system gives no random bytes")?;
    Ok(bytes)
}
