//! The decisions of the bridge, as functions over values.
//!
//! Nothing here does IO, reads a clock or an environment variable, or depends on AWS. Time is an argument and the
//! result is a value. Read in this order:
//!
//! 1. [`event`]: the events of Passweb, parsed from the callback's JSON;
//! 2. [`site::config`], [`mapping`] and [`template`]: the shop's configuration and the templates that Meta approved;
//! 3. [`decision::plan`]: the recipients of an event, planned once;
//! 4. [`decision`]: whether one message may be sent now, and its text;
//! 5. [`message::state`]: the recorded facts of a message, and the state derived from them;
//! 6. [`message::error_code`] and [`message::backoff`]: the consequence of a refusal, and the time of the next retry;
//! 7. [`message::suppression`] and [`site::health`]: the data about a number, and about an account's ability to send;
//! 8. [`webhook`]: the platform events of WA Smart Business;
//! 9. [`primitives::key`], [`queue::job`] and [`notice`]: the keys in the ledger and the records in the queues.

pub mod audit;
pub mod check;
pub mod decision;
pub mod event;
pub mod mapping;
pub mod message;
pub mod primitives;
pub mod queue;
pub mod site;
pub mod template;
pub mod webhook;
