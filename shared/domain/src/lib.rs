//! What the bridge decides, as functions over values.
//!
//! Nothing here does IO, reads a clock or an environment variable, or knows AWS: time arrives as an argument and the
//! answer is a value. Read in this order:
//!
//! 1. [`event`]: what happened in Passweb, parsed from the callback's JSON;
//! 2. [`site::config`], [`mapping`] and [`template`]: what the shop configured and what Meta approved;
//! 3. [`decision::plan`]: who is to be told because of an event, decided once;
//! 4. [`decision`]: whether one message may go now, and its text;
//! 5. [`message::state`]: what is recorded of a message, and the state that follows from it;
//! 6. [`message::error_code`] and [`message::backoff`]: what a refusal calls for, and when to try again;
//! 7. [`message::suppression`] and [`site::health`]: what is known of a number, and of an account's ability to send;
//! 8. [`webhook`]: what WA Smart Business reports;
//! 9. [`primitives::key`], [`queue::job`] and [`notice`]: the names things have in the ledger and the shape they have in the queues.

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
