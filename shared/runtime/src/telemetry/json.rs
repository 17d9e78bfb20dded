//! One JSON object a line: the fields of the context, outermost first, and then those of the line itself. A field of the
//! line replaces a field of the context with the same name.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;

/// The format of a line. It needs spans whose fields are formatted as JSON.
pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), format!("{:.6}", Clock::system().now()).into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.as_str());
            line.extend(fields.and_then(|fields| serde_json::from_str::<Map<_, _>>(fields).ok()).unwrap_or_default());
        }
        event.record(&mut Fields(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The fields of a line.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, value.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::instrument::WithSubscriber;
    use tracing::{Instrument, info};

    use super::*;
    use crate::telemetry::{context, field, note};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_has_the_fields_of_every_context_around_it() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::fmt().json().with_writer(move || writer.clone()).event_format(Lines).finish();
        async {
            async {
                note(&[(field::SITE, &"demo"), (field::EVENT, &"e\"1")]);
                info!("first");
                let message = async { info!(site = "other", count = 3_u64, "second") };
                message.instrument(context(&[(field::MESSAGE, &"m.1")])).await;
            }
            .instrument(context(&[(field::REQUEST, &"r-1")]))
            .await;
            info!(is = true, "outside");
        }
        .with_subscriber(subscriber)
        .await;
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| {
                let mut line: Value = serde_json::from_str(line).unwrap();
                assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
                line.as_object_mut().unwrap().remove("timestamp");
                line
            })
            .collect();
        assert_eq!(
            lines,
            [
                json!({"level": "INFO", "message": "first", "request.id": "r-1", "site": "demo", "event.id": "e\"1"}),
                json!({
                    "level": "INFO", "message": "second", "request.id": "r-1", "site": "other", "event.id": "e\"1",
                    "message.id": "m.1", "count": 3,
                }),
                json!({"level": "INFO", "message": "outside", "is": true}),
            ]
        );
    }
}
