//! Countries as people write them: an ISO 3166 code, or a name in Italian, English, German, French or Spanish.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Two-letter codes by name and by three-letter code, both normalized by [`key`].
///
/// The data is from Unicode CLDR, under the licence beside the table. `names.py` generates it.
static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("country/names.tsv").lines();
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// Returns the ISO 3166 two-letter code for a text; `None` if it is neither a code nor a known name.
///
/// A two-letter text is returned even if no country has that code.
pub(crate) fn code_of(text: &str) -> Option<String> {
    let key = key(text);
    if let Some(code) = NAMES.get(key.as_str()) {
        return Some((*code).to_owned());
    }
    let is_code = key.len() == 2 && key.bytes().all(|byte| byte.is_ascii_lowercase());
    is_code.then(|| key.to_ascii_uppercase())
}

/// Normalizes a text to lowercase letters and digits: `Côte d’Ivoire` becomes `côtedivoire`.
///
/// Combining accents are dropped, so the table also contains every name without accents.
fn key(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::phone::Country;

    #[test]
    fn a_country_is_known_by_its_code_and_by_its_name_in_five_languages() {
        let check = |texts: &[&str], code: Option<&str>| {
            for text in texts {
                assert_eq!(code_of(text).as_deref(), code, "{text}");
            }
        };
        check(
            &["CH", "ch", " ch ", "CHE", "Svizzera", "SVIZZERA", "Switzerland", "Schweiz", "Suisse", "Suiza"],
            Some("CH"),
        );
        check(&["Italia", "ITA", "I.T.", "Italy", "Italien", "Italie"], Some("IT"));
        check(&["Österreich", "OESTERREICH", "Osterreich", "O\u{308}sterreich", "Austria", "Autriche"], Some("AT"));
        check(&["Côte d’Ivoire", "Cote d'Ivoire", "Costa d’Avorio"], Some("CI"));
        check(&["Regno Unito", "UK", "U.K.", "Inghilterra", "Gran Bretagna", "Royaume-Uni"], Some("GB"));
        check(&["Stati Uniti", "U.S.A.", "Estados Unidos", "Vereinigte Staaten"], Some("US"));
        check(&["Olanda", "Paesi Bassi", "Niederlande"], Some("NL"));
        check(&["Myanmar", "Birmania"], Some("MM"));
        // Two countries share the name Congo.
        check(&["Congo", "Svizzerland", "", "-", "Padova", "1", "+41"], None);
    }

    #[test]
    fn every_named_country_has_telephone_numbers() {
        assert!(NAMES.len() > 1300);
        for (name, code) in NAMES.iter() {
            assert_eq!(key(name), *name);
            assert!(Country::parse(code).is_some(), "{name}: {code}");
        }
    }
}
