//! Generates a typed function for each sentence of `locales`.

use std::path::Path;
use std::process::ExitCode;

use fluent_typed::{BuildOptions, FtlOutputOptions, LintLevel, build_from_locales_folder};

fn main() -> ExitCode {
    let Some(out) = std::env::var_os("OUT_DIR") else { return ExitCode::FAILURE };
    let path = |name: &str| Path::new(&out).join(name).to_string_lossy().into_owned();
    build_from_locales_folder(
        BuildOptions::default()
            .with_output_file_path(&path("sentences.rs"))
            .with_ftl_output(FtlOutputOptions::single_file(&path("sentences.ftl")))
            .with_prefix("")
            .with_lint_level(LintLevel::Deny)
            .without_bidi_isolation()
            .without_format(),
    )
}
