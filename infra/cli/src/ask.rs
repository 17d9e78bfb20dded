//! What a person is asked before something is done that cannot be taken back, and what they say in words.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::output::Output;

/// Longest reason or note, in characters.
const WORDS_MAX: usize = 200;

/// Asks a question unless it was answered on the command line. The question goes to standard error, so that standard
/// output has the result only.
///
/// # Errors
/// [`Failure::No`] unless the answer is yes.
pub(crate) fn confirmed(question: &str, yes: bool, output: Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    drop(write!(io::stderr(), "{question} {} ", output.lang.of("[s/N]", "[y/N]")));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    let answer = answer.trim().to_lowercase();
    if read.is_ok() && ["s", "sì", "si", "y", "yes"].contains(&answer.as_str()) {
        return Ok(());
    }
    Err(Failure::No("nothing was done: answer yes, or say --yes".to_owned()))
}

/// Takes a reason or a note as it is typed.
///
/// # Errors
/// [`Failure::Usage`] if it says nothing or too much.
pub(crate) fn words(typed: &str, name: &str) -> Result<String, Failure> {
    let text = typed.trim();
    let fits = (1..=WORDS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let wrong = || Failure::Usage(format!("{name} must be a text of at most {WORDS_MAX} characters"));
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_something_and_fit() {
        assert_eq!(words(" ha chiamato ", "--reason").unwrap(), "ha chiamato");
        for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert_eq!(words(wrong, "--reason").unwrap_err().code(), 2, "{wrong:?}");
        }
    }
}
