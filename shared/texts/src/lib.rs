//! The sentences that operators read, in Italian and English.
//!
//! `locales` has a file for each part of the program and language. The build script generates a function for each
//! sentence that exists in both languages, so a missing sentence does not compile. The functions take the variables of
//! the sentence in the order of the English text.

#[cfg(test)]
mod catalogue;
mod dates;
mod details;
mod problems;
mod words;

use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code, which fails only at build time"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/sentences.rs"));

    impl L10nLanguage {
        /// Returns the sentences for access by id.
        pub(super) fn by_id(&self) -> &L10nBundle {
            &self.0
        }
    }

    impl L10n {
        /// Returns the ids of all sentences with their variables.
        pub(super) fn variables() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
            MESSAGE_CONTRACTS.iter().map(|contract| (contract.message, contract.vars))
        }
    }
}

use generated::{L10n, L10nLanguage};

/// A language of the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Italian.
    #[default]
    It,
    /// English.
    En,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::It, Self::En];

    /// Returns the language's code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::It => "it",
            Self::En => "en",
        }
    }

    /// Returns the language of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// Returns the language of a POSIX locale such as `it_IT.UTF-8`. `None` for other languages, and for `C`.
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        Self::of(locale.split(['_', '.', '@']).next()?)
    }

    /// Returns the sentences in this language.
    #[must_use]
    pub fn texts(self) -> &'static Texts {
        static ITALIAN: LazyLock<Texts> = LazyLock::new(|| Texts::load(Lang::It, L10n::It));
        static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::load(Lang::En, L10n::En));
        match self {
            Self::It => &ITALIAN,
            Self::En => &ENGLISH,
        }
    }
}

/// The first parts of the ids of help texts.
const HELP: [&str; 3] = ["cmd", "after", "arg"];

fn is_help(id: &str) -> bool {
    id.split('-').next().is_some_and(|first| HELP.contains(&first))
}

/// The sentences in one language.
pub struct Texts {
    lang: Lang,
    sentences: L10nLanguage,
}

impl Texts {
    fn load(lang: Lang, language: L10n) -> Self {
        Self { lang, sentences: language.load() }
    }

    /// Returns the language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Returns a text of the command line's help by its id, such as `cmd-site-add`. The command line derives the id from
    /// its own structure, so no function names it.
    #[must_use]
    pub fn help(&self, id: &str) -> Option<String> {
        is_help(id).then(|| self.sentences.by_id().msg(id, None).ok())?
    }

    /// Returns the ids of the command line's help.
    pub fn help_ids(&self) -> impl Iterator<Item = &'static str> {
        L10n::variables().map(|(id, _)| id).filter(|id| is_help(id))
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Texts").field(&self.lang).finish()
    }
}

impl Deref for Texts {
    type Target = L10nLanguage;

    fn deref(&self) -> &L10nLanguage {
        &self.sentences
    }
}
