//! The configuration that the function reads from its environment.

use provider::Network;
use runtime::env::{EnvError, Environment};
use runtime::metrics::Metrics;

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites, accounts, mappings and templates.
    pub config_table: String,
    /// `BRIDGE_LEDGER_TABLE`: the table of events and messages.
    pub ledger_table: String,
    /// `BRIDGE_CONTACTS_TABLE`: the table of numbers, suppressions, dedup keys and latest events.
    pub contacts_table: String,
    /// `BRIDGE_SCHEDULE_TABLE`: the table of due items and lanes.
    pub schedule_table: String,
    /// `BRIDGE_EVENTS_QUEUE_URL`: the queue for successor records.
    pub events_queue_url: String,
    /// `BRIDGE_DEAD_QUEUE_ARN`: the dead-letter queue of both queues.
    pub dead_queue_arn: String,
    /// `BRIDGE_STATUSES_QUEUE_ARN`: the statuses queue, from which a dead letter may come.
    pub statuses_queue_arn: String,
    /// `BRIDGE_STACK`: the prefix of the secrets' names.
    pub stack: String,
    /// `BRIDGE_PROVIDER_NETWORK`: `public` by default; `any` is for local runs and tests.
    pub network: Network,
    /// The function's metrics.
    pub metrics: Metrics,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// [`EnvError`] naming the first variable that is missing or invalid.
    pub fn from_env(environment: &Environment) -> Result<Self, EnvError> {
        let stack = environment.required("BRIDGE_STACK")?;
        Ok(Self {
            config_table: environment.required("BRIDGE_CONFIG_TABLE")?,
            ledger_table: environment.required("BRIDGE_LEDGER_TABLE")?,
            contacts_table: environment.required("BRIDGE_CONTACTS_TABLE")?,
            schedule_table: environment.required("BRIDGE_SCHEDULE_TABLE")?,
            events_queue_url: environment.required("BRIDGE_EVENTS_QUEUE_URL")?,
            dead_queue_arn: environment.required("BRIDGE_DEAD_QUEUE_ARN")?,
            statuses_queue_arn: environment.required("BRIDGE_STATUSES_QUEUE_ARN")?,
            metrics: Metrics::of(environment, &stack, "send-message"),
            stack,
            network: environment.parsed_or("BRIDGE_PROVIDER_NETWORK", Network::Public, str::parse)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 8] = [
        ("BRIDGE_CONFIG_TABLE", "c"),
        ("BRIDGE_LEDGER_TABLE", "l"),
        ("BRIDGE_CONTACTS_TABLE", "p"),
        ("BRIDGE_SCHEDULE_TABLE", "t"),
        ("BRIDGE_EVENTS_QUEUE_URL", "q"),
        ("BRIDGE_DEAD_QUEUE_ARN", "d"),
        ("BRIDGE_STATUSES_QUEUE_ARN", "e"),
        ("BRIDGE_STACK", "s"),
    ];

    #[test]
    fn the_network_is_public_unless_configured_otherwise() {
        assert_eq!(Config::from_env(&Environment::of(&REQUIRED)).unwrap().network, Network::Public);
        let with = |value| [REQUIRED.as_slice(), &[("BRIDGE_PROVIDER_NETWORK", value)]].concat();
        assert_eq!(Config::from_env(&Environment::of(&with("any"))).unwrap().network, Network::Any);
        assert!(Config::from_env(&Environment::of(&with("all"))).is_err());
    }

    #[test]
    fn every_other_variable_is_required() {
        for (name, _) in REQUIRED {
            let others: Vec<_> = REQUIRED.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
    }
}
