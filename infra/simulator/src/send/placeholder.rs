//! Finds and fills the placeholders `{{1}}` and `{{name}}` of a template's text.

/// Returns the distinct placeholders of `text` in order of first appearance, without braces and blanks.
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for piece in pieces(text) {
        if let Piece::Placeholder(name) = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Returns `text` with each placeholder replaced by its value. A placeholder without a value is kept.
pub(super) fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Fixed(fixed) => filled.push_str(fixed),
            Piece::Placeholder(name) => match values.iter().find(|(candidate, _)| *candidate == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.push_str(&format!("{{{{{name}}}}}")),
            },
        }
    }
    filled
}

/// Returns the length in UTF-16 units, in which this crate counts the platform's limits.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

enum Piece<'a> {
    Fixed(&'a str),
    Placeholder(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        pieces.push(Piece::Fixed(before));
        pieces.push(Piece::Placeholder(name));
        rest = after;
    }
    pieces.push(Piece::Fixed(rest));
    pieces
}

fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, tail) = text.split_once("{{")?;
    let (name, after) = tail.split_once("}}")?;
    Some((before, name.trim(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_once_each() {
        assert_eq!(names("Ciao {{1}}, ordine {{2}} di {{ 1 }}"), ["1", "2"]);
        assert_eq!(names("Ciao {{nome}}"), ["nome"]);
        assert!(names("senza, anche con {una} graffa e {{ aperta").is_empty());
    }

    #[test]
    fn placeholders_within_values_are_not_filled() {
        let values = [("1", "{{2}}".to_owned()), ("2", "B".to_owned())];
        assert_eq!(fill("{{1}}-{{2}}-{{3}}", &values), "{{2}}-B-{{3}}");
    }

    #[test]
    fn length_counts_utf16_units() {
        assert_eq!(units("a😀"), 3);
    }
}
