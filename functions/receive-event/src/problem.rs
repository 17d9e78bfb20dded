//! Errors as RFC 9457 problem documents. No other module defines the external form of an error.

use domain::event::{EventError, EventType};
use domain::primitives::cause::chain;
use domain::primitives::json::Fault;
use domain::site::intake::EventsPerMinute;
use http::{HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use lambda_http::{Body, Response};
use queue::NotQueued;
use runtime::secrets::SecretError;
use serde_json::{Value, json};
use store::StoreError;

use crate::json_response;

/// The time that a caller should wait after a 503.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// The ways to present a key, for a 401 (RFC 9110, 11.6.1).
const CHALLENGES: [&str; 2] = ["Bearer realm=\"passweb-bridge\"", "Basic realm=\"passweb-bridge\", charset=\"UTF-8\""];

/// An error response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    errors: Vec<Fault>,
    extensions: Vec<(&'static str, Value)>,
    /// The time that the caller should wait.
    retry_after: Option<SignedDuration>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: &str) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { status, kind, detail: detail.to_owned(), errors: Vec::new(), extensions: Vec::new(), retry_after }
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// The path or the webhook does not exist. The response does not reveal which.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.")
    }

    /// The key has used up its limit.
    pub(crate) fn too_many_events(limit: EventsPerMinute, wait: SignedDuration) -> Self {
        let detail = format!("The key has raised its {} events of this minute. Send the event again later.", limit.0);
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-events", &detail);
        Self { retry_after: Some(wait), ..problem }
    }

    /// Fields are missing or wrong.
    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        let detail = "Fields of the event are missing or wrong.";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-event", detail) }
    }

    pub(crate) fn of_event(error: EventError) -> Self {
        match error {
            EventError::Invalid(faults) => Self::invalid(faults),
            EventError::UnknownType => {
                let fault = Fault { pointer: "/type".to_owned(), detail: "is no known event type".to_owned() };
                let known: Vec<&str> = EventType::ALL.into_iter().map(EventType::name).collect();
                let detail = "The bridge does not know this type of event.";
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-event-type", detail);
                Self { errors: vec![fault], ..problem }.with("known_types", json!(known))
            }
        }
    }

    /// SQS did not accept the event, and Passweb keeps it. Logs the cause; callers do not log it again.
    pub(crate) fn not_queued(error: &NotQueued) -> Self {
        tracing::error!(error = chain(error), "SQS did not take an event");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-queued", "The event could not be stored. Send it again.")
    }

    /// SQS did not accept all parts of a webhook, and Meta sends the whole webhook again. Logs the first cause;
    /// callers do not log it again.
    pub(crate) fn not_all_queued(error: &NotQueued, refused: usize) -> Self {
        tracing::error!(error = chain(error), refused, "SQS did not take all of a webhook");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-queued", "Not all of it could be stored. Send it again.")
    }

    /// The key or the webhook could not be read. Logs the cause; callers do not log it again.
    pub(crate) fn no_store(error: &StoreError) -> Self {
        tracing::error!(error = chain(error), "a credential could not be looked up");
        Self::not_checked()
    }

    /// The secret of a webhook could not be read. Logs the cause; callers do not log it again.
    pub(crate) fn no_secret(error: &SecretError) -> Self {
        tracing::error!(error = chain(error), "a credential could not be looked up");
        Self::not_checked()
    }

    /// The configuration of the site could not be read for a dry run. Logs the cause; callers do not log it again.
    pub(crate) fn no_configuration(error: &StoreError) -> Self {
        tracing::error!(error = chain(error), "the configuration of a site could not be read");
        Self::not_configured()
    }

    /// The configuration of the site is missing: its key is stored before its settings.
    pub(crate) fn not_configured() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The event could not be checked. Send it again.")
    }

    fn not_checked() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The credential could not be checked. Send it again.")
    }

    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.extensions.push((name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns the faults with `prefix` before their pointers.
    pub(crate) fn errors_below(&self, prefix: &str) -> Vec<Fault> {
        let below = |fault: &Fault| Fault { pointer: format!("{prefix}{}", fault.pointer), ..fault.clone() };
        self.errors.iter().map(below).collect()
    }

    /// Returns the problem document.
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:passweb-bridge:problem:{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(fields) = document.as_object_mut() {
            if !self.errors.is_empty() {
                fields.insert("errors".to_owned(), json!(self.errors));
            }
            fields.extend(self.extensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        document
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = json_response(self.status, "application/problem+json", &self.document());
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            for challenge in CHALLENGES {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
