//! Languages as Meta names them: `it`, `en`, `en_US`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::primitives::country;

/// A language code: two or three lower-case letters, optionally `_` and a region or script. Only the separator and the
/// case are normalised, because Meta lists `it` but no `it_IT`, and `en` and `en_US` are different templates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// The languages of WhatsApp's templates, without regions.
const OFFERED: [&str; 67] = [
    "af", "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fil", "fr", "ga",
    "gu", "ha", "he", "hi", "hr", "hu", "id", "it", "ja", "ka", "kk", "kn", "ko", "ky", "lo", "lt", "lv", "mk", "ml",
    "mr", "ms", "nb", "nl", "pa", "pl", "prs", "ps", "pt", "ro", "ru", "rw", "si", "sk", "sl", "sq", "sr", "sv", "sw",
    "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "zh", "zu",
];

/// The error for a text that is not a language code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a language code such as it, en or en_US")]
pub struct LanguageError;

impl Language {
    /// Parses `it`, `IT`, `en-us` or `en_US`.
    ///
    /// # Errors
    /// [`LanguageError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, LanguageError> {
        let (base, region) = match text.split_once(['_', '-']) {
            Some((base, region)) => (base, Some(region)),
            None => (text, None),
        };
        let is_base = (2..=3).contains(&base.len()) && base.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_region =
            |region: &str| (2..=4).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_base || !region.is_none_or(is_region) {
            return Err(LanguageError);
        }
        let base = base.to_ascii_lowercase();
        Ok(Self(match region {
            Some(region) => format!("{base}_{}", region.to_ascii_uppercase()),
            None => base,
        }))
    }

    /// Returns Italian, the default language of Passweb's sites.
    #[must_use]
    pub fn italian() -> Self {
        Self("it".to_owned())
    }

    /// Returns the code, such as `en_US`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the language without its region, such as `en`.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.split('_').next().unwrap_or(&self.0)
    }

    /// Whether WhatsApp has templates in the language, in any region.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        OFFERED.contains(&self.base())
    }
}

impl TryFrom<String> for Language {
    type Error = LanguageError;

    fn try_from(text: String) -> Result<Self, LanguageError> {
        Self::parse(&text)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the main language of a country, for a person without a language in Passweb. `None` if one language
/// would be a guess (Switzerland, Belgium) or the country is not listed.
#[must_use]
pub fn of_country(country: &str) -> Option<Language> {
    let code = match country::code_of(country)?.as_str() {
        "IT" | "SM" | "VA" => "it",
        "DE" | "AT" | "LI" => "de",
        "FR" | "MC" => "fr",
        "ES" | "MX" | "AR" | "CO" | "CL" | "PE" => "es",
        "PT" => "pt_PT",
        "BR" => "pt_BR",
        "GB" | "IE" | "US" | "AU" | "NZ" | "MT" => "en",
        "NL" => "nl",
        "PL" => "pl",
        "RO" => "ro",
        "GR" => "el",
        "SI" => "sl",
        "HR" => "hr",
        "AL" => "sq",
        "CZ" => "cs",
        "HU" => "hu",
        "SE" => "sv",
        "DK" => "da",
        _ => return None,
    };
    Language::parse(code).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_normalised() {
        let code = |text| Language::parse(text).map(String::from);
        assert_eq!(code("IT"), Ok("it".to_owned()));
        assert_eq!(code("en-us"), Ok("en_US".to_owned()));
        assert_eq!(code("fil"), Ok("fil".to_owned()));
        for wrong in ["", "i", "italiano", "it_", "it_I", "it_ITALY", "1t", "it it", "è"] {
            assert_eq!(code(wrong), Err(LanguageError), "{wrong}");
        }
    }

    #[test]
    fn the_base_drops_the_region() {
        assert_eq!(Language::parse("pt_BR").unwrap().base(), "pt");
    }

    #[test]
    fn every_listed_country_has_a_language() {
        assert_eq!(of_country("it").unwrap().as_str(), "it");
        assert_eq!(of_country("BR").unwrap().as_str(), "pt_BR");
        assert_eq!(of_country("Deutschland").unwrap().as_str(), "de");
        assert_eq!(of_country("CH"), None);
    }
}
