//! What this function reads from its environment.

use runtime::env::{EnvError, Environment};

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites and keys.
    pub config_table: String,
    /// `BRIDGE_EVENTS_QUEUE_URL`: where accepted events go.
    pub events_queue_url: String,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`EnvError`] naming the first variable that is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, EnvError> {
        Ok(Self {
            config_table: environment.required("BRIDGE_CONFIG_TABLE")?,
            events_queue_url: environment.required("BRIDGE_EVENTS_QUEUE_URL")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_required() {
        let all = [("BRIDGE_CONFIG_TABLE", "c"), ("BRIDGE_EVENTS_QUEUE_URL", "q")];
        let config = Config::from_env(&Environment::of(&all)).unwrap();
        assert_eq!((config.config_table.as_str(), config.events_queue_url.as_str()), ("c", "q"));
        for (name, _) in all {
            let others: Vec<_> = all.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
    }
}
