//! The language of the reader.

use std::ffi::OsString;

use runtime::env::Environment;
use texts::Lang;

/// The variable that chooses the language.
pub(crate) const VARIABLE: &str = "BRIDGE_LANG";
/// The variables of the locale, the first of which wins.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// Returns the language of `--lang`, of [`VARIABLE`] or of the locale, otherwise Italian. Reads the arguments before
/// they are parsed, because help and errors of the command line need the language too.
pub(crate) fn chosen(arguments: &[OsString], environment: &Environment) -> Lang {
    let locale = LOCALE.into_iter().find_map(|name| environment.optional(name));
    let named = option(arguments).and_then(Lang::of);
    named
        .or_else(|| environment.optional(VARIABLE).and_then(|code| Lang::of(&code)))
        .or_else(|| locale.and_then(|locale| Lang::of_locale(&locale)))
        .unwrap_or_default()
}

fn option(arguments: &[OsString]) -> Option<&str> {
    // An argument that is not Unicode is the path of a file.
    let mut arguments =
        arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--lang" {
            return arguments.next();
        }
        if let Some(code) = argument.strip_prefix("--lang=") {
            return Some(code);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_precedes_the_variable_and_the_variable_the_locale() {
        let chosen = |arguments: &[&str], variables: &[(&str, &str)]| {
            chosen(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), &Environment::of(variables))
        };
        let (variable, locale) = ((VARIABLE, "it"), ("LANG", "en_US.UTF-8"));
        assert_eq!(chosen(&["bridge", "--lang", "en", "audit"], &[variable]), Lang::En);
        assert_eq!(chosen(&["bridge", "audit", "--lang=en"], &[variable]), Lang::En);
        assert_eq!(chosen(&["bridge"], &[variable, locale]), Lang::It);
        assert_eq!(chosen(&["bridge"], &[locale]), Lang::En);
        assert_eq!(chosen(&["bridge"], &[locale, ("LC_ALL", "it_CH")]), Lang::It);
    }

    #[test]
    fn other_languages_read_italian() {
        for variables in [&[("LANG", "C.UTF-8")] as &[_], &[("LANG", "de_DE")], &[(VARIABLE, "fr")], &[]] {
            let arguments = ["bridge", "--", "--lang", "en"].map(OsString::from);
            assert_eq!(chosen(&arguments, &Environment::of(variables)), Lang::It);
        }
    }
}
