//! The WA Smart Business simulator: what the platform does with a template message, on one machine.
//!
//! It answers the Cloud API under any version prefix (`/v1`, `/v23.0`, …), keeps what was sent, and
//! refuses what the platform refuses with the platform's codes. A control API under `/_sim` reads what
//! happened and orders faults; `/` is a phone to look at. It shares no code with the bridge on purpose:
//! a rule that the bridge misread must not be misread twice.
//!
//! Read on in this order: [`Settings`], [`Simulator`], then `exchange` (the life of one send) and `send`
//! (the rules of one request).

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

pub use server::{Running, Simulator};
pub use settings::{Clock, SeedRefused, Settings};
