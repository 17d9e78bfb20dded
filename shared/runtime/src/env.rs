//! The environment, read in one place. A function's configuration is built from an [`Environment`], so its test needs
//! no process of its own.

use std::fmt;

type Lookup = dyn Fn(&str) -> Option<String>;

/// A source of variables.
pub struct Environment(Box<Lookup>);

/// A variable is missing or invalid, so the function cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A required variable is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable has an invalid value. The value is not included.
    #[error("the environment variable {name} is wrong: {cause}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// The cause.
        cause: String,
    },
}

impl Environment {
    /// Returns the environment of the process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn process() -> Self {
        Self(Box::new(|name| std::env::var(name).ok()))
    }

    /// Creates an environment from a list.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self(Box::new(move |name| variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())))
    }

    /// Returns a required variable. A blank value counts as not set.
    ///
    /// # Errors
    /// [`EnvError::Missing`].
    pub fn required(&self, name: &'static str) -> Result<String, EnvError> {
        self.optional(name).ok_or(EnvError::Missing(name))
    }

    /// Returns an optional variable. A blank value counts as absent.
    #[must_use]
    pub fn optional(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    /// Returns a required variable parsed with `parse`.
    ///
    /// # Errors
    /// [`EnvError::Missing`], or [`EnvError::Wrong`] with the parser's error.
    pub fn parsed<T, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, EnvError> {
        parse(&self.required(name)?).map_err(|error| EnvError::Wrong { name, cause: error.to_string() })
    }

    /// Returns a variable parsed with `parse`, or the default if it is absent.
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
    fn unset_blank_and_invalid_variables_are_distinguished() {
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
