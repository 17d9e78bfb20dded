//! The system clock and random names: the one place of the local run where either comes from.

use anyhow::{Context, Result};
use jiff::Timestamp;
use runtime::Clock;

/// The present time. The local run stands for AWS, so it is the machine's.
#[must_use]
pub fn now() -> Timestamp {
    Clock::system().now()
}

/// `N` random bytes of the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the operating system gives no random bytes")?;
    Ok(bytes)
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
