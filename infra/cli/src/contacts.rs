//! `bridge contacts`: import and export of suppressions and consents as lists.
//!
//! A line contains a suppression of a number, its consent to marketing, or both. `import` accepts the output of
//! `export` in the same stack, where the pseudonym identifies the number.

mod export;
mod import;

use crate::args;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

/// The columns, in the order in which `export` writes them.
const COLUMNS: [&str; 8] = ["contact", "phone", "scope", "source", "since", "reason", "consent", "unreachable_until"];

pub(crate) async fn run(command: args::Contacts, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Contacts::Import { file, dry_run, skip_wrong, own_export } => {
            import::run(&file, import::Mode { dry_run, skip_wrong, own_export }, stack, output).await
        }
        args::Contacts::Export { output: file } => export::run(file.as_deref(), stack, output).await,
    }
}
