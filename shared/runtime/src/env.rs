//! The environment, read in one place. A function's configuration is a struct made `from` an [`Environment`], so that
//! its test needs no process of its own.

use std::fmt;

type Lookup = dyn Fn(&str) -> Option<String>;

/// Where variables come from.
pub struct Environment(Box<Lookup>);

/// A variable is missing or wrong: the function cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// It must be set and is not.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// It is set to something it can't be. The value is not repeated.
    #[error("the environment variable {name} is wrong: {cause}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

impl Environment {
    /// The process's own environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn process() -> Self {
        Self(Box::new(|name| std::env::var(name).ok()))
    }

    /// Variables from a list.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self(Box::new(move |name| variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())))
    }

    /// A variable that must be set. A blank one is not set.
    ///
    /// # Errors
    /// [`EnvError::Missing`].
    pub fn required(&self, name: &'static str) -> Result<String, EnvError> {
        self.optional(name).ok_or(EnvError::Missing(name))
    }

    /// A variable that may be absent. A blank one is absent.
    #[must_use]
    pub fn optional(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    /// A variable with a default, read by `parse`.
    ///
    /// # Errors
    /// [`EnvError::Wrong`] with the parser's error.
    pub fn parsed_or<T, E: fmt::Display>(
        &self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, EnvError> {
        match self.optional(name) {
            None => Ok(default),
            Some(value) => parse(&value).map_err(|error| EnvError::Wrong { name, cause: error.to_string() }),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_blank_and_wrong_are_told_apart() {
        let environment = Environment::of(&[("A", "x"), ("BLANK", " "), ("N", "seven")]);
        assert_eq!(environment.required("A").as_deref(), Ok("x"));
        assert_eq!(environment.required("BLANK"), Err(EnvError::Missing("BLANK")));
        assert_eq!(environment.parsed_or("M", 7, str::parse), Ok(7));
        let error = environment.parsed_or("N", 7, str::parse::<u8>).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable N is wrong: invalid digit found in string");
        assert!(!error.to_string().contains("seven"));
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(Environment::process().optional("PATH").is_some());
    }
}
