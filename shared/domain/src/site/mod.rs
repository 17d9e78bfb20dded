//! The settings of a shop other than mappings, its credentials, and the health of its accounts.

pub mod config;
pub mod credential;
pub mod health;
pub mod intake;
pub mod signing;
