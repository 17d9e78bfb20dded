//! Texts compared without regard to how they are written.

/// Removes case, accents of Italian, whitespace, dashes and underscores from a text.
pub(crate) fn folded(text: &str) -> String {
    let plain = |character: char| match character {
        'à' | 'á' | 'â' | 'ä' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        other => other,
    };
    let is_separator = |character: &char| {
        character.is_whitespace() || matches!(character, '_' | '-' | '\u{2010}'..='\u{2015}' | '\u{300}'..='\u{36f}')
    };
    text.chars().filter(|character| !is_separator(character)).flat_map(char::to_lowercase).map(plain).collect()
}

/// Returns the similarity of two texts as [`folded`] writes them, from 0 to 1.
pub(crate) fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&folded(one), &folded(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_digits_and_symbols_are_kept() {
        for (text, plain) in [
            ("MEMORIZZATO - SOSTITUITO", "memorizzatosostituito"),
            ("Già  spedito", "giaspedito"),
            ("ba\u{300}sta", "basta"),
            ("in_attesa\u{2013}1!", "inattesa1!"),
        ] {
            assert_eq!(folded(text), plain, "{text}");
        }
    }
}
