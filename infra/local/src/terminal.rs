//! What the local run says on the terminal: one line at a time, each with its source in front.

use std::io::Write;

/// The widest source, `fire-reminders`; shorter ones are padded to it.
const SOURCE_WIDTH: usize = 14;
const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
/// Colours of the sources, taken by the sum of the source's letters, so that each keeps its own.
const COLOURS: [&str; 5] = ["\u{1b}[36m", "\u{1b}[35m", "\u{1b}[33m", "\u{1b}[34m", "\u{1b}[32m"];

/// Standard output. A reader that went away (`| head`) is no reason to stop, so writing never fails.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colour: bool,
}

impl Terminal {
    /// With colours only if `colour`, which the caller derives from there being a terminal and no `NO_COLOR`.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// One line of a function or of another part, `source | text`. Control characters are shown, not obeyed.
    pub fn line(self, source: &str, text: &str) {
        let shown = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
        let text: String = text.chars().map(shown).collect();
        let name = format!("{source:<SOURCE_WIDTH$}");
        self.say(&format!("{} {text}", self.paint(colour_of(source), &format!("{name} |"))));
    }

    /// A line as it is.
    pub fn say(self, text: &str) {
        drop(writeln!(std::io::stdout().lock(), "{text}"));
    }

    /// The text in bold, on a terminal.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    /// The text toned down, on a terminal.
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
