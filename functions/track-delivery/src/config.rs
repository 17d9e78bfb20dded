//! The configuration that the function reads from its environment.

use runtime::env::{EnvError, Environment};
use runtime::metrics::Metrics;

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites, accounts, mappings and templates.
    pub config_table: String,
    /// `BRIDGE_LEDGER_TABLE`: the table of events and messages.
    pub ledger_table: String,
    /// `BRIDGE_CONTACTS_TABLE`: the table of numbers and suppressions.
    pub contacts_table: String,
    /// `BRIDGE_SCHEDULE_TABLE`: the table of due items and of the accounts' state.
    pub schedule_table: String,
    /// `BRIDGE_STATUSES_QUEUE_URL`: the queue into which platform events are put back.
    pub statuses_queue_url: String,
    /// `BRIDGE_STACK`: the prefix of the secrets' names.
    pub stack: String,
    /// The function's metrics.
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
            config_table: environment.required("BRIDGE_CONFIG_TABLE")?,
            ledger_table: environment.required("BRIDGE_LEDGER_TABLE")?,
            contacts_table: environment.required("BRIDGE_CONTACTS_TABLE")?,
            schedule_table: environment.required("BRIDGE_SCHEDULE_TABLE")?,
            statuses_queue_url: environment.required("BRIDGE_STATUSES_QUEUE_URL")?,
            metrics: Metrics::of(environment, &stack, "track-delivery"),
            stack,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 6] = [
        ("BRIDGE_CONFIG_TABLE", "c"),
        ("BRIDGE_LEDGER_TABLE", "l"),
        ("BRIDGE_CONTACTS_TABLE", "p"),
        ("BRIDGE_SCHEDULE_TABLE", "t"),
        ("BRIDGE_STATUSES_QUEUE_URL", "q"),
        ("BRIDGE_STACK", "s"),
    ];

    #[test]
    fn each_variable_is_read_into_its_field() {
        let config = Config {
            config_table: "c".to_owned(),
            ledger_table: "l".to_owned(),
            contacts_table: "p".to_owned(),
            schedule_table: "t".to_owned(),
            statuses_queue_url: "q".to_owned(),
            stack: "s".to_owned(),
            metrics: Metrics::of(&Environment::of(&[]), "s", "track-delivery"),
        };
        assert_eq!(Config::from_env(&Environment::of(&REQUIRED)), Ok(config));
    }

    #[test]
    fn every_variable_is_required() {
        for (name, _) in REQUIRED {
            let others: Vec<_> = REQUIRED.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
    }
}
