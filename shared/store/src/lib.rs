//! DynamoDB: configuration and ledger.
//!
//! Each table has one module and one client type, built from an SDK client and the table's name:
//!
//! | table | keys | type |
//! |---|---|---|
//! | `Config` | `pk`, `sk` | [`config::ConfigTable`], [`webhooks::Webhooks`] |
//! | `Ledger` | `pk`, `sk` | [`ledger::Ledger`] |
//! | `Schedule` | `pk`, index `due` | [`schedule::Schedule`] (its [`accounts`] too), [`ledger::Parking`] |
//! | `Contacts` | `pk` | [`contacts::Contacts`], [`ledger::Claims`] |
//!
//! [`tables`] holds the key schema of all four as data. Values live as JSON in one attribute where nothing but us reads
//! them, as attributes of their own where a condition or an index does.

pub mod accounts;
mod batch_get;
pub mod config;
pub mod contacts;
mod error;
mod item;
pub mod ledger;
mod newer;
pub mod schedule;
pub mod tables;
mod transaction;
pub mod webhooks;

pub use batch_get::BatchGet;
pub use error::StoreError;
