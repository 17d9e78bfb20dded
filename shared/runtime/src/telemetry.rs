//! The log, in JSON or text according to Lambda's log format setting.
//!
//! A message is understandable without its fields. Fields are for queries and have the same name everywhere (`site`,
//! `event.id`, `message.id`, `provider.code`). The log never contains secrets, names, texts, whole phone numbers or
//! bodies.

use domain::primitives::cause::chain;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::env::Environment;

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
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(writer)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .with_ansi(false);
    let is_json =
        environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let started = if is_json {
        subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        // The local run and CloudWatch add a timestamp to each line.
        subscriber.without_time().try_init()
    };
    if let Err(error) = started {
        tracing::debug!(error = chain(&*error), "the log was started before");
    }
}
