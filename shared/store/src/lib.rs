//! DynamoDB tables: configuration, contacts, ledger and schedule.
//!
//! Each table has one module. A client type is built from an SDK client and the table's name:
//!
//! | table | keys | types |
//! |---|---|---|
//! | `Config` | `pk`, `sk` | [`config::ConfigTable`], [`webhooks::Webhooks`] |
//! | `Contacts` | `pk` | [`contacts::Contacts`], [`ledger::Claims`] |
//! | `Ledger` | `pk`, `sk` | [`ledger::Ledger`], [`ledger::Claims`], [`ledger::Parking`] |
//! | `Schedule` | `pk`, index `due` | [`schedule::Schedule`] (with its [`accounts`]), [`ledger::Parking`] |
//!
//! [`tables`] contains the key schema of all four tables as data.
//!
//! A value that only the bridge reads is stored as JSON in one attribute. A value that a condition or an index needs
//! has an attribute of its own.

pub mod accounts;
mod batch_get;
pub mod config;
pub mod contacts;
mod error;
mod item;
pub mod ledger;
mod newer;
pub mod schedule;
pub mod sweeps;
pub mod tables;
mod transact;
pub mod webhooks;

pub use batch_get::BatchGet;
pub use error::StoreError;
