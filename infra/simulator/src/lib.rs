//! The WA Smart Business simulator: the platform's handling of template messages, on one machine.
//!
//! - It answers the Cloud API under any version prefix (`/v1`, `/v23.0`, …) and records every send.
//! - It refuses the sends that the platform refuses, with the platform's error codes.
//! - It posts the statuses of messages and the answers of recipients as signed webhooks.
//! - A control API under `/_sim` reads the records and orders faults, statuses and answers.
//! - `/` shows a phone.
//!
//! It deliberately shares no code with the bridge. A rule that the bridge misinterprets must not be misinterpreted
//! twice.
//!
//! Recommended reading order:
//!
//! 1. [`Settings`] and [`Simulator`]
//! 2. `exchange`: the processing of one send
//! 3. `send`: the rules of one request
//! 4. `course` and `statuses`: the statuses after a send
//! 5. `webhook`: their delivery

mod catalogue;
mod cloud;
mod control;
mod course;
mod exchange;
mod fallback;
mod faults;
mod graph_error;
mod limits;
mod listing;
mod phone;
mod response;
mod send;
mod server;
mod settings;
mod state;
mod statuses;
mod webhook;

pub use server::{Running, Simulator};
pub use settings::{Clock, SeedRefused, Settings, Webhook};
