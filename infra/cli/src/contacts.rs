//! `bridge contacts`: suppressions and consents as lists.
//!
//! A line says one suppression of a number, its consent to marketing, or both. What `export` writes `import` takes back
//! in the same stack: the pseudonym stands for the number there.

mod export;
mod import;

use crate::args;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

/// The columns, in the order `export` writes them.
const COLUMNS: [&str; 8] = ["contact", "phone", "scope", "source", "since", "reason", "consent", "unreachable_until"];

pub(crate) async fn run(command: args::Contacts, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Contacts::Import { file, dry_run, skip_wrong } => {
            import::run(&file, dry_run, skip_wrong, stack, output).await
        }
        args::Contacts::Export { output: file } => export::run(file.as_deref(), stack, output).await,
    }
}
