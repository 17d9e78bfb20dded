//! The contracts of the two queues.

pub mod job;
pub mod platform_event;
