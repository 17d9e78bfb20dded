//! Progress of commands that read or write much. It appears on standard error, and only on a terminal.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// Starts a bar of a known number of steps. It disappears when it is dropped.
pub(crate) fn bar(steps: usize, title: String) -> ProgressBar {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    styled(ProgressBar::new(steps), "{msg} [{bar:30}] {pos}/{len}", title)
}

/// Starts a counter of an unknown number of steps. It disappears when it is dropped.
pub(crate) fn counter(title: String) -> ProgressBar {
    styled(ProgressBar::no_length(), "{msg} {pos}", title)
}

fn styled(progress: ProgressBar, template: &str, title: String) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    progress.with_style(style.progress_chars("=> ")).with_message(title).with_finish(ProgressFinish::AndClear)
}
