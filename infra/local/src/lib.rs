//! The local run: the whole bridge on one machine, with the same binaries that ship.
//!
//! ```text
//! HTTP ─▶ gateway ─▶ runtime_api ─▶ receive-event ─▶ SQS ┐       emulators: DynamoDB, SQS, Secrets Manager
//!                        ▲  ▲                            │       simulator: WA Smart Business and its phone
//!       schedule ────────┘  └───── poller per queue ◀────┘       workers:   the functions' processes
//! ```
//!
//! Start with [`run`], which defines the order in which everything starts and stops. [`topology`] holds the names and
//! numbers of the stack. The test kit uses only [`emulators`] and [`queues`].

pub mod build;
pub mod cli;
pub mod clock;
pub mod data_folder;
pub mod demo;
pub mod emulators;
mod fair_queues;
pub mod gateway;
pub mod greeting;
pub mod phone;
pub mod poller;
pub mod ports;
pub mod queues;
pub mod run;
pub mod runtime_api;
pub mod schedule;
pub mod secrets;
pub mod seed;
pub mod stop;
pub mod templates;
pub mod terminal;
pub mod topology;
pub mod workers;
