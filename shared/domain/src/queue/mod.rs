//! The contracts of the two queues.

/// Version of the records of both queues. It rises with a record that the readers before cannot parse. The functions state
/// it in their descriptions on AWS, where `bridge doctor` compares it.
pub const CONTRACT: u32 = 1;

pub mod job;
pub mod platform_event;

mod record;

pub use record::Record;
