//! The failures of commands, by exit code.

use std::error::Error;
use std::fmt;

use domain::primitives::cause::chain;
use provider::{ListError, SetupError};
use runtime::secrets::SecretError;
use serde::{Serialize, Serializer};
use store::StoreError;
use texts::{Lang, Texts};

/// A sentence in each language. The place that fails does not know the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    italian: String,
    english: String,
}

impl Sentence {
    /// Calls `words` with the texts of each language.
    pub(crate) fn of(words: impl Fn(&Texts) -> String) -> Self {
        Self { italian: words(Lang::It.texts()), english: words(Lang::En.texts()) }
    }

    /// Joins sentences, one a line.
    pub(crate) fn lines(all: &[Self]) -> Self {
        Self::of(|texts| all.iter().map(|one| one.words(texts)).collect::<Vec<_>>().join("\n"))
    }

    /// Returns the sentence in one language.
    pub(crate) fn words(&self, texts: &Texts) -> &str {
        match texts.lang() {
            Lang::It => &self.italian,
            Lang::En => &self.english,
        }
    }
}

/// Writes the English sentence, for JSON and logs.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

/// Serializes the English sentence.
impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.english.serialize(serializer)
    }
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command ran, but its result is negative. Exit code 1.
    #[error("{0}")]
    No(Sentence),
    /// The command line names something that does not exist or is not valid. Exit code 2.
    #[error("{0}")]
    Usage(Sentence),
    /// The stack or the platform does not respond. Exit code 3.
    #[error("{0}")]
    Unreachable(Sentence),
}

impl Failure {
    /// Returns a negative result, as a sentence in each language.
    pub(crate) fn no(words: impl Fn(&Texts) -> String) -> Self {
        Self::No(Sentence::of(words))
    }

    /// Returns a wrong command line, as a sentence in each language.
    pub(crate) fn usage(words: impl Fn(&Texts) -> String) -> Self {
        Self::Usage(Sentence::of(words))
    }

    /// Returns an unreachable stack or platform, as a sentence in each language.
    pub(crate) fn unreachable(words: impl Fn(&Texts) -> String) -> Self {
        Self::Unreachable(Sentence::of(words))
    }

    /// Returns a failure that does not occur with data of this program.
    pub(crate) fn internal(error: &(dyn Error + 'static)) -> Self {
        let detail = chain(error);
        Self::no(|texts| texts.internal(detail.as_str()))
    }

    /// Returns the failure of a call to AWS.
    pub(crate) fn aws(error: &(dyn Error + 'static)) -> Self {
        let cause = chain(error);
        Self::unreachable(|texts| texts.aws_failed(cause.as_str()))
    }

    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }

    /// Returns the failure in each language.
    pub(crate) fn sentence(&self) -> &Sentence {
        match self {
            Self::No(sentence) | Self::Usage(sentence) | Self::Unreachable(sentence) => sentence,
        }
    }

    /// Returns the failure in one language.
    pub(crate) fn words(&self, texts: &Texts) -> &str {
        self.sentence().words(texts)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Refused(_) => Self::aws(&error),
            StoreError::Malformed { .. } => Self::no(|texts| texts.item_malformed(chain(&error))),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unavailable { .. } => Self::aws(&error),
            SecretError::Malformed { .. } | SecretError::Weak(_) => {
                Self::no(|texts| texts.secret_malformed(chain(&error)))
            }
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::no(|texts| texts.setup_wrong(chain(&error)))
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Setup(error) => error.into(),
            ListError::Unreachable(_) => Self::unreachable(|texts| texts.list_unreachable(chain(&error))),
            ListError::Refused(failure) => {
                Self::no(|texts| texts.list_refused(failure.code.as_str(), failure.details.as_str()))
            }
            ListError::Malformed(_) => Self::no(|texts| texts.list_malformed(chain(&error))),
        }
    }
}
