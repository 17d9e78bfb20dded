//! Fixed words that customers read, in every language that the bridge writes.
//!
//! A word is a struct with one field for each language, so that a missing translation does not compile. A template in
//! another language gets the English word.

use crate::primitives::language::Language;

/// A word in every language but Italian. Some words come from Passweb, which already writes them in Italian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translations {
    /// The English word. Every other language uses it too.
    pub english: &'static str,
    /// The German word.
    pub german: &'static str,
    /// The French word.
    pub french: &'static str,
    /// The Spanish word.
    pub spanish: &'static str,
}

impl Translations {
    /// Returns the word for a template in `language`; `None` for Italian.
    #[must_use]
    pub fn get(&self, language: &Language) -> Option<&'static str> {
        match language.base() {
            "it" => None,
            "de" => Some(self.german),
            "fr" => Some(self.french),
            "es" => Some(self.spanish),
            _ => Some(self.english),
        }
    }
}

/// A word in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The Italian word.
    pub italian: &'static str,
    /// The word in the other languages.
    pub translated: Translations,
}

impl Words {
    /// Returns the word for a template in `language`.
    #[must_use]
    pub fn get(&self, language: &Language) -> &'static str {
        self.translated.get(language).unwrap_or(self.italian)
    }
}

/// A noun that follows a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// The form after 1. French also uses it after 0.
    pub one: Words,
    /// The form after every other number.
    pub many: Words,
}

impl Noun {
    /// Returns the form that follows `count` in `language`.
    #[must_use]
    pub fn after(&self, count: u64, language: &Language) -> &'static str {
        let is_one = count == 1 || (count == 0 && language.base() == "fr");
        if is_one { self.one.get(language) } else { self.many.get(language) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Translations {
        /// Returns the words side by side, and fails if one is empty or padded.
        pub(crate) fn shown(&self) -> String {
            let Self { english, german, french, spanish } = *self;
            let words = [english, german, french, spanish];
            assert!(words.iter().all(|word| !word.is_empty() && word.trim() == *word), "{words:?}");
            words.join(" | ")
        }
    }

    impl Words {
        /// Returns the words side by side, and fails if one is empty or padded.
        pub(crate) fn shown(&self) -> String {
            assert!(!self.italian.is_empty() && self.italian.trim() == self.italian, "{self:?}");
            format!("{} | {}", self.italian, self.translated.shown())
        }
    }

    const WORDS: Words =
        Words { italian: "it", translated: Translations { english: "en", german: "de", french: "fr", spanish: "es" } };

    #[test]
    fn a_language_without_words_of_its_own_gets_the_english_ones() {
        let table = [
            ("it", "it"),
            ("it_CH", "it"),
            ("en_US", "en"),
            ("de_AT", "de"),
            ("fr", "fr"),
            ("es_MX", "es"),
            ("nl", "en"),
            ("pt_BR", "en"),
        ];
        for (language, expected) in table {
            assert_eq!(WORDS.get(&Language::parse(language).unwrap()), expected, "{language}");
        }
    }

    #[test]
    fn one_takes_the_singular_and_in_french_zero_too() {
        let many =
            Words { italian: "its", translated: Translations { english: "ens", french: "frs", ..WORDS.translated } };
        let noun = Noun { one: WORDS, many };
        let after = |count, language: &str| noun.after(count, &Language::parse(language).unwrap());
        assert_eq!([0, 1, 2].map(|count| after(count, "it")), ["its", "it", "its"]);
        assert_eq!([0, 1, 2].map(|count| after(count, "fr")), ["fr", "fr", "frs"]);
    }
}
