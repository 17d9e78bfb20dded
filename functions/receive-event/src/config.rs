//! The configuration that the function reads from its environment.

use domain::site::intake::EventsPerMinute;
use runtime::env::{EnvError, Environment};
use runtime::metrics::Metrics;

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites, keys and webhooks.
    pub config_table: String,
    /// `BRIDGE_EVENTS_QUEUE_URL`: the queue for accepted events.
    pub events_queue_url: String,
    /// `BRIDGE_STATUSES_QUEUE_URL`: the queue for platform events.
    pub statuses_queue_url: String,
    /// `BRIDGE_STACK`: the prefix of the secrets' names.
    pub stack: String,
    /// `BRIDGE_EVENTS_PER_MINUTE`: the events that an API key may raise in a minute.
    pub events_per_minute: EventsPerMinute,
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
            events_queue_url: environment.required("BRIDGE_EVENTS_QUEUE_URL")?,
            statuses_queue_url: environment.required("BRIDGE_STATUSES_QUEUE_URL")?,
            metrics: Metrics::of(environment, &stack, "receive-event"),
            stack,
            events_per_minute: EventsPerMinute(environment.parsed("BRIDGE_EVENTS_PER_MINUTE", str::parse)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn every_variable_is_required() {
        let all = [
            ("BRIDGE_CONFIG_TABLE", "c"),
            ("BRIDGE_EVENTS_QUEUE_URL", "q"),
            ("BRIDGE_STATUSES_QUEUE_URL", "s"),
            ("BRIDGE_STACK", "stack"),
            ("BRIDGE_EVENTS_PER_MINUTE", "6000"),
        ];
        let expected = Config {
            config_table: "c".to_owned(),
            events_queue_url: "q".to_owned(),
            statuses_queue_url: "s".to_owned(),
            stack: "stack".to_owned(),
            metrics: Metrics::of(&Environment::of(&[]), "stack", "receive-event"),
            events_per_minute: EventsPerMinute(NonZeroU32::new(6_000).unwrap()),
        };
        assert_eq!(Config::from_env(&Environment::of(&all)), Ok(expected));
        for (name, _) in all {
            let others: Vec<_> = all.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
        for wrong in ["0", "-1", "many"] {
            let all = [all.as_slice(), &[("BRIDGE_EVENTS_PER_MINUTE", wrong)]].concat();
            let last: Vec<_> = all.into_iter().rev().collect();
            assert!(matches!(Config::from_env(&Environment::of(&last)), Err(EnvError::Wrong { .. })), "{wrong}");
        }
    }
}
