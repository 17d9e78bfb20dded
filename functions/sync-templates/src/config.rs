//! The configuration that the function reads from its environment.

use provider::Network;
use runtime::env::{EnvError, Environment};
use runtime::metrics::Metrics;

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_CONFIG_TABLE`: the table of sites, accounts, mappings and templates.
    pub config_table: String,
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
            metrics: Metrics::of(environment, &stack, "sync-templates"),
            stack,
            network: environment.parsed_or("BRIDGE_PROVIDER_NETWORK", Network::Public, str::parse)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 2] = [("BRIDGE_CONFIG_TABLE", "c"), ("BRIDGE_STACK", "s")];

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
