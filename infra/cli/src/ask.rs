//! Confirmation of irreversible commands, and validation of reasons and notes.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::output::Output;

/// Maximum length of a reason or note, in characters.
const WORDS_MAX: usize = 200;

/// Asks for confirmation unless `yes` is set. The question goes to standard error, so that standard output contains
/// only the result.
///
/// # Errors
/// [`Failure::No`] unless the answer is yes.
pub(crate) fn confirmed(question: &str, yes: bool, output: Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    drop(write!(io::stderr(), "{question} {} ", output.texts.yes_or_no()));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    let answer = answer.trim().to_lowercase();
    if read.is_ok() && ["s", "sì", "si", "y", "yes"].contains(&answer.as_str()) {
        return Ok(());
    }
    Err(Failure::no(|texts| texts.not_confirmed()))
}

/// Validates a reason or a note and returns it trimmed.
///
/// # Errors
/// [`Failure::Usage`] if it is empty, too long or contains control characters.
pub(crate) fn words(typed: &str, name: &str) -> Result<String, Failure> {
    let text = typed.trim();
    let fits = (1..=WORDS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let wrong = || Failure::usage(|texts| texts.text_too_long(name, WORDS_MAX));
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_be_a_short_nonempty_single_line() {
        assert_eq!(words(" ha chiamato ", "--reason").unwrap(), "ha chiamato");
        for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert_eq!(words(wrong, "--reason").unwrap_err().code(), 2, "{wrong:?}");
        }
    }
}
