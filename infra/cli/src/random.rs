//! Random bytes for ids and secrets.

use crate::failure::Failure;

/// Returns random bytes.
///
/// # Errors
/// [`Failure::No`] if the system has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Failure::no(|texts| texts.no_random_bytes(error.to_string()))),
    }
}
