//! The decisions of the bridge, as functions over values.
//!
//! Nothing here does IO, reads a clock or an environment variable, or depends on AWS. Time is an argument and the
//! result is a value. Read the groups in this order; each one uses only those before it:
//!
//! 1. [`primitives`]: ids, keys of the ledger, phone numbers, languages, money and the reader of JSON.
//! 2. [`event`]: the events of Passweb, parsed from the callback's JSON.
//! 3. [`message`]: the recorded facts of a message and the state derived from them, the reasons not to send, the
//!    reaction to each error code, and the recorded data about a recipient.
//! 4. [`template`]: the templates that Meta approved, and the variables that fill them.
//! 5. [`mapping`]: which template notifies about which event, with which values.
//! 6. [`site`]: the rest of the shop's configuration, API keys, and an account's ability to send.
//! 7. [`decision`]: the plan of an event, the decision and the text of one message, reminders, carts and digests.
//! 8. [`queue`]: the records of the two queues.
//! 9. [`webhook`]: the platform events in the callbacks of WA Smart Business.
//! 10. [`check`]: the problems of a mapping before it is saved.
//! 11. [`dry_run`]: what the bridge understands of an event, and the reasons for which it would not notify.
//! 12. [`proposal`]: the variables that probably fill the gaps of a template.
//! 13. [`audit`]: the count of events and messages by outcome.

pub mod audit;
pub mod check;
pub mod decision;
pub mod dry_run;
pub mod event;
pub mod mapping;
pub mod message;
pub mod primitives;
pub mod proposal;
pub mod queue;
pub mod site;
pub mod template;
pub mod webhook;
