//! Cuts a text that is too long.

use unicode_segmentation::UnicodeSegmentation;

use super::units;

/// The end of a text that was cut.
const ELLIPSIS: &str = "…";

/// Cuts the text to at most `units_max` UTF-16 units, including "…", and never inside a grapheme. At least "…" remains.
pub(super) fn shorten(text: &str, units_max: usize) -> String {
    let mut kept = String::new();
    let mut used = units(ELLIPSIS);
    for grapheme in text.graphemes(true) {
        used += units(grapheme);
        if used > units_max {
            break;
        }
        kept.push_str(grapheme);
    }
    format!("{}{ELLIPSIS}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_never_splits_a_character() {
        assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 8), "…");
        assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 10), "👨\u{200d}👩\u{200d}👧…");
        assert_eq!(shorten("perché no", 4), "per…");
        assert_eq!(shorten("uno due", 5), "uno…");
    }
}
