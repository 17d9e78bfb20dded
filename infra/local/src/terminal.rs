//! The terminal output of the local run: one line at a time, each prefixed with its source.

use std::io::Write;

/// The width of the longest source, `fire-reminders`. Shorter sources are padded to it.
const SOURCE_WIDTH: usize = 14;
const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
/// The colours of the sources. The sum of a source's bytes selects its colour, so each source keeps its colour.
const COLOURS: [&str; 5] = ["\u{1b}[36m", "\u{1b}[35m", "\u{1b}[33m", "\u{1b}[34m", "\u{1b}[32m"];

/// Standard output. Writing never fails, because a closed reader (`| head`) is no reason to stop.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colour: bool,
}

impl Terminal {
    /// Creates the output, with colours if `colour`. The caller sets it if there is a terminal and no `NO_COLOR`.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Prints one line of a function or of another part, `source | text`. Control characters are replaced.
    pub fn line(self, source: &str, text: &str) {
        let shown = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
        let text: String = text.chars().map(shown).collect();
        let name = format!("{source:<SOURCE_WIDTH$}");
        self.say(&format!("{} {text}", self.paint(colour_of(source), &format!("{name} |"))));
    }

    /// Prints a line unchanged.
    pub fn say(self, text: &str) {
        drop(writeln!(std::io::stdout().lock(), "{text}"));
    }

    /// Returns the text in bold if colours are enabled.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    /// Returns the text dimmed if colours are enabled.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint(DIM, text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("{code}{text}{RESET}") } else { text.to_owned() }
    }
}

fn colour_of(source: &str) -> &'static str {
    let sum: usize = source.bytes().map(usize::from).sum();
    COLOURS.get(sum % COLOURS.len()).copied().unwrap_or(BOLD)
}
