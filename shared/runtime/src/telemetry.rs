//! The log, in JSON or text according to Lambda's log format setting.
//!
//! A message is understandable without its fields. Fields are for queries and have the same name everywhere (`site`,
//! `event.id`, `message.id`, `provider.code`). The log never contains secrets, names, texts, whole phone numbers or
//! bodies.
//!
//! In JSON, every line also has the fields of its context ([`context`]): the invocation, the record, the event and the
//! message that the code works on. So the lines of one request, of one event or of one message can be joined.

mod json;

use std::fmt::Display;

use domain::primitives::cause::chain;
use tracing::field::{Empty, display};
use tracing::{Span, info_span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::env::Environment;

/// The target of the spans with the context.
const CONTEXT: &str = "context";

/// A field of the context. Each is also the name of the field in the log.
pub mod field {
    /// Lambda's id of the invocation.
    pub const REQUEST: &str = "request.id";
    /// The gateway's id of a request of the API.
    pub const GATEWAY: &str = "gateway.id";
    /// The id of a record of a queue.
    pub const RECORD: &str = "record.id";
    /// The site.
    pub const SITE: &str = "site";
    /// The event.
    pub const EVENT: &str = "event.id";
    /// The message.
    pub const MESSAGE: &str = "message.id";
    /// The trace of the caller that raised the event.
    pub const TRACE: &str = "trace.id";
}

/// Returns a span with fields of the context. A value of [`note`] is added later.
#[must_use]
pub fn context(fields: &[(&'static str, &dyn Display)]) -> Span {
    let span = info_span!(
        target: CONTEXT,
        CONTEXT,
        request.id = Empty,
        gateway.id = Empty,
        record.id = Empty,
        site = Empty,
        event.id = Empty,
        message.id = Empty,
        trace.id = Empty,
    );
    add(&span, fields);
    span
}

/// Adds fields to the innermost context, once they are known.
pub fn note(fields: &[(&'static str, &dyn Display)]) {
    add(&Span::current(), fields);
}

fn add(span: &Span, fields: &[(&'static str, &dyn Display)]) {
    for (name, value) in fields {
        span.record(*name, display(value));
    }
}

/// Starts the log of a process. A second call has no effect.
pub fn start(environment: &Environment) {
    start_into(environment, std::io::stdout);
}

/// Like [`start`], with any writer. Tests use it to keep a function's log lines.
pub fn start_into(environment: &Environment, writer: impl for<'writer> MakeWriter<'writer> + Send + Sync + 'static) {
    let level = environment.optional("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|| "INFO".to_owned());
    // The SDK and hyper log much at DEBUG. Only their warnings are logged, unless `RUST_LOG` requests more.
    let directives = environment.optional("RUST_LOG").unwrap_or_else(|| {
        let level = level.to_lowercase();
        format!("warn,domain={level},store={level},queue={level},provider={level},runtime={level},receive_event={level},send_message={level},fire_reminders={level},sync_templates={level},track_delivery={level}")
    });
    let is_json =
        environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    // Text is for people who watch the local run. There, the context would repeat what the line says.
    let level_of_context = if is_json { "info" } else { "off" };
    let filter = EnvFilter::new(format!("{directives},{CONTEXT}={level_of_context}"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .with_ansi(false);
    let started = if is_json {
        subscriber.json().event_format(json::Lines).try_init()
    } else {
        // The local run and CloudWatch add a timestamp to each line.
        subscriber.without_time().try_init()
    };
    if let Err(error) = started {
        tracing::debug!(error = chain(&*error), "the log was started before");
    }
}
