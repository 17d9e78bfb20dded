//! `bridge doctor`: checks everything that a stack depends on, and says what to do about each finding.
//!
//! A check that fails never prevents the others, except that nothing can be checked without credentials or without the
//! stack. Nothing is changed, and nothing is sent.

mod aws;
mod data;
mod report;
mod site;
mod time;

use jiff::tz::TimeZone;

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::{self, Stack};
use report::Report;

pub(crate) async fn run(common: &Common, output: Output) -> Result<(), Failure> {
    let mut report = Report::new(output.texts);
    match &common.stack {
        Some(name) => {
            if let Some(aws) = aws::open(name, common, &mut report).await? {
                aws::check(&aws, &mut report).await;
                check(&aws.stack, Some(&aws), &mut report).await;
            }
        }
        None => match stack::open(common).await {
            Ok(stack) => check(&stack, None, &mut report).await,
            Err(Failure::Usage(cause)) => return Err(Failure::Usage(cause)),
            Err(failure) => {
                let texts = output.texts;
                let advice = texts.doctor_start_local();
                report.finding("local_run", "", failure.words(texts), advice);
            }
        },
    }
    output.say(&report.document(), |_| report.words());
    match report.findings() {
        0 => Ok(()),
        count => Err(Failure::no(|texts| texts.doctor_count(count))),
    }
}

/// Checks what the local run and a stack on AWS have in common.
async fn check(stack: &Stack, aws: Option<&aws::Aws>, report: &mut Report) {
    // Without a named site, times before the first site are in UTC.
    report.zone = stack.zone().await.unwrap_or(TimeZone::UTC);
    time::clock(stack, report).await;
    data::tables(stack, aws.is_some(), report).await;
    data::queues(stack, report).await;
    data::keys(stack, report).await;
    time::sweep(stack, report).await;
    site::all(stack, report).await;
}
