//! The WA Smart Business simulator: what the platform does with a template message, on one machine.
//!
//! It answers the Cloud API under any version prefix (`/v1`, `/v23.0`, …), keeps what was sent, and
//! refuses what the platform refuses with the platform's codes. What becomes of a message, and what its
//! recipient answers, it posts as signed webhooks. A control API under `/_sim` reads what happened and
//! orders faults, statuses and answers; `/` is a phone to look at. It shares no code with the bridge on
//! purpose: a rule that the bridge misread must not be misread twice.
//!
//! Read on in this order: [`Settings`], [`Simulator`], then `exchange` (the life of one send), `send`
//! (the rules of one request), `statuses` (what follows a send) and `webhook` (how it is told).

mod catalogue;
mod cloud;
mod control;
mod exchange;
mod faults;
mod graph_error;
mod limits;
mod listing;
mod phone;
mod send;
mod server;
mod settings;
mod state;
mod statuses;
mod webhook;

pub use server::{Running, Simulator};
pub use settings::{Clock, SeedRefused, Settings, Webhook};
