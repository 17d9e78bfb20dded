//! What this function reads from its environment.

use runtime::env::{EnvError, Environment};

/// The function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BRIDGE_LEDGER_TABLE`: the table of events and messages.
    pub ledger_table: String,
    /// `BRIDGE_SCHEDULE_TABLE`: the table of what waits for its moment.
    pub schedule_table: String,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`EnvError`] naming the first variable that is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, EnvError> {
        Ok(Self {
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
        let all = [("BRIDGE_LEDGER_TABLE", "l"), ("BRIDGE_SCHEDULE_TABLE", "s")];
        assert!(Config::from_env(&Environment::of(&all)).is_ok());
        for (name, _) in all {
            let others: Vec<_> = all.into_iter().filter(|(other, _)| *other != name).collect();
            assert_eq!(Config::from_env(&Environment::of(&others)), Err(EnvError::Missing(name)));
        }
    }
}
