//! The configuration that the function reads from its environment.

use runtime::env::{EnvError, Environment};
use runtime::metrics::Metrics;

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites and accounts.
    pub config_table: String,
    /// `BRIDGE_EVENTS_QUEUE_URL`: the queue for due messages.
    pub events_queue_url: String,
    /// `BRIDGE_STATUSES_QUEUE_URL`: the queue for status reports whose message was found.
    pub statuses_queue_url: String,
    /// `BRIDGE_CONTACTS_TABLE`: the table of people, numbers and activities.
    pub contacts_table: String,
    /// `BRIDGE_STACK`: the prefix of the secrets' names.
    pub stack: String,
    /// `BRIDGE_LEDGER_TABLE`: the table of events and messages.
    pub ledger_table: String,
    /// `BRIDGE_SCHEDULE_TABLE`: the table of due items and lanes.
    pub schedule_table: String,
    /// The stack's metrics.
    pub metrics: Metrics,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// [`EnvError`] naming the first variable that is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, EnvError> {
        let stack = environment.required("BRIDGE_STACK")?;
        Ok(Self {
            metrics: Metrics::of(environment, &stack, "fire-reminders"),
            config_table: environment.required("BRIDGE_CONFIG_TABLE")?,
            events_queue_url: environment.required("BRIDGE_EVENTS_QUEUE_URL")?,
            statuses_queue_url: environment.required("BRIDGE_STATUSES_QUEUE_URL")?,
            contacts_table: environment.required("BRIDGE_CONTACTS_TABLE")?,
            stack,
            ledger_table: environment.required("BRIDGE_LEDGER_TABLE")?,
            schedule_table: environment.required("BRIDGE_SCHEDULE_TABLE")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_required() {
        let all = [
            ("BRIDGE_CONFIG_TABLE", "c"),
            ("BRIDGE_CONTACTS_TABLE", "p"),
            ("BRIDGE_STACK", "k"),
            ("BRIDGE_EVENTS_QUEUE_URL", "e"),
            ("BRIDGE_STATUSES_QUEUE_URL", "t"),
            ("BRIDGE_LEDGER_TABLE", "l"),
            ("BRIDGE_SCHEDULE_TABLE", "s"),
        ];
        assert!(Config::from_env(&Environment::of(&all)).is_ok());
        for (name, _) in all {
            let others: Vec<_> = all.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
    }
}
