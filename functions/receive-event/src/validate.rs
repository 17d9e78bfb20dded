//! `POST /v1/events/validate`: checks an event as `/v1/events` does, and answers what the bridge understands of it.
//! Nothing is enqueued or written.

use domain::dry_run::{DryRun, Warning, dry_run};
use domain::event::Event;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use runtime::telemetry::{self, field};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::{Admitted, App, EVENT_BYTES_MAX, admit, json_response};

/// The language of the warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Italian,
    English,
}

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Response<Body>, Problem> {
    let now = app.clock.now();
    let Admitted { site, key_id, document } = admit(app, request, EVENT_BYTES_MAX, now).await?;
    let event = Event::parse(document, now).map_err(Problem::of_event)?;
    telemetry::note(&[(field::EVENT, &event.id)]);
    // The count is not shared here, because that would be a write.
    let _share = app.limits.count_here(&key_id, 1, now);
    let live = app.config.live(&site).await.map_err(|error| Problem::no_configuration(&error))?;
    let live = live.ok_or_else(Problem::not_configured)?;
    let result = dry_run(&event, &live, now);
    tracing::info!(%site, event.kind = %event.kind(), warnings = result.warnings.len(), "checked an event");
    let language = Language::of(request.headers());
    let mut response = json_response(StatusCode::OK, "application/json", &document_of(&result, language));
    response.headers_mut().insert(header::CONTENT_LANGUAGE, language.tag());
    Ok(response)
}

impl Language {
    /// Returns the language that a caller prefers: Italian if `Accept-Language` ranks it above English.
    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if quality(accepted, "it") > quality(accepted, "en") { Self::Italian } else { Self::English }
    }

    fn tag(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Italian => "it",
            Self::English => "en",
        })
    }
}

/// Returns the quality of a language in `Accept-Language`, in any region (RFC 9110, 12.5.4). Zero if it is not named.
fn quality(accepted: &str, language: &str) -> f32 {
    let of_range = |range: &str| {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let base = tag.trim().split('-').next().unwrap_or_default();
        let quality = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse);
        quality.ok().filter(|_| base.eq_ignore_ascii_case(language))
    };
    accepted.split(',').filter_map(of_range).fold(0.0, f32::max)
}

fn document_of(result: &DryRun, language: Language) -> Value {
    let recipients: Vec<Value> = result
        .recipients
        .iter()
        .map(|recipient| {
            json!({
                "id": recipient.id,
                "role": recipient.role,
                "pointer": recipient.pointer,
                "phone": recipient.phone,
                "country": recipient.country,
                "language": recipient.language,
            })
        })
        .collect();
    let warnings: Vec<Value> = result.warnings.iter().map(|warning| warning_of(warning, language)).collect();
    json!({
        "id": result.id,
        "type": result.kind,
        "occurred_at": result.occurred_at.to_string(),
        "recipients": recipients,
        "warnings": warnings,
    })
}

fn warning_of(warning: &Warning, language: Language) -> Value {
    let message = match language {
        Language::Italian => warning.code.italian(),
        Language::English => warning.code.english(),
    };
    let mut document = json!({"code": warning.code.to_string(), "pointer": warning.pointer, "message": message});
    if let Some(fields) = document.as_object_mut() {
        fields.extend(warning.mapping.as_ref().map(|mapping| ("mapping".to_owned(), json!(mapping))));
        let detail = Some(&warning.detail).filter(|detail| !detail.is_empty());
        fields.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_the_caller_prefers() {
        let of = |accepted: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
            Language::of(&headers)
        };
        for accepted in ["it", "it-IT,it;q=0.9,en;q=0.8", "de, IT;q=0.5", "en;q=0.2, it;q=0.3"] {
            assert_eq!(of(accepted), Language::Italian, "{accepted}");
        }
        for accepted in ["en", "it;q=0.8, en", "de", "*", "it;q=zero", "it;q=0", ";;q=1", ""] {
            assert_eq!(of(accepted), Language::English, "{accepted}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
