//! A message: what is recorded of it, the state that follows, and what an error code calls for.

pub mod backoff;
pub mod error_code;
pub mod file_list;
pub mod reason;
pub mod state;
pub mod suppression;
