//! Takes Passweb's callbacks: authenticates, parses, enqueues, answers. It decides nothing.
//!
//! A 202 means SQS has the event. The checks go from cheap to dear, and the first that fails is the answer: size (413),
//! credential (401), content type (415), JSON (400), content (422), SQS (503).

mod auth;
mod batch;
mod config;
mod keys;
mod problem;

use domain::event::Event;
use domain::id::SiteId;
use domain::job::Job;
use http::{Method, StatusCode, header};
use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use queue::EventsQueue;
use runtime::Clock;
use serde_json::{Value, json};
use store::config::ConfigTable;

pub use config::Config;
use problem::Problem;

/// Largest event, in bytes: SQS takes 256 KiB, and escaping may treble what Passweb sends.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Largest batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What the handler borrows.
#[derive(Debug)]
pub struct App {
    keys: keys::Keys,
    queue: EventsQueue,
    clock: Clock,
}

impl App {
    /// An app with these clients, of which a process has one each.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, sqs: aws_sdk_sqs::Client, config: Config, clock: Clock) -> Self {
        let table = ConfigTable::new(dynamodb, config.config_table);
        let queue = EventsQueue::new(sqs, config.events_queue_url);
        Self { keys: keys::Keys::new(table), queue, clock }
    }
}

/// Answers a request of the API.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let route = (request.method(), request.uri().path());
    let answer = match route {
        (&Method::POST, "/v1/events") => one(app, &request).await,
        (&Method::POST, "/v1/events/batch") => batch::handle(app, &request).await,
        _ => Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.")),
    };
    match answer {
        Ok((status, body)) => json_response(status, "application/json", &body),
        Err(problem) => {
            tracing::info!(http.status = problem.status().as_u16(), problem = problem.kind(), "refused a request");
            problem.into_response()
        }
    }
}

/// `POST /v1/events`.
async fn one(app: &App, request: &Request) -> Result<(StatusCode, Value), Problem> {
    let now = app.clock.now();
    let (site, document) = admit(app, request, EVENT_BYTES_MAX, now).await?;
    let event = Event::parse(document, now).map_err(Problem::of_event)?;
    let job = Job::Event { site: site.clone(), received_at: now, event: event.document.clone() };
    app.queue.send(&job).await.map_err(|error| Problem::not_queued(&error))?;
    tracing::info!(%site, event.id = %event.id, event.kind = %event.kind(), "accepted an event");
    Ok((StatusCode::ACCEPTED, json!({"id": event.id, "status": "accepted"})))
}

/// What every route checks first: size, credential, content type, JSON.
async fn admit(app: &App, request: &Request, bytes_max: usize, now: Timestamp) -> Result<(SiteId, Value), Problem> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > bytes_max {
        let detail = format!("The body has {} bytes; at most {bytes_max} are taken.", bytes.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail));
    }
    let presented = auth::presented_key(request)?;
    let site = app.keys.site_of(&presented, now).await?;
    check_content_type(request)?;
    let document = serde_json::from_slice(bytes).map_err(|error| {
        // The place is enough; serde's message may quote the body.
        let detail = format!("The body is not JSON in UTF-8 (line {}, column {}).", error.line(), error.column());
        Problem::new(StatusCode::BAD_REQUEST, "not-json", &detail)
    })?;
    Ok((site, document))
}

fn check_content_type(request: &Request) -> Result<(), Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    let detail = "The content type must be application/json in UTF-8.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json-type", detail))
}

fn json_response(status: StatusCode, content_type: &str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    if let Ok(value) = http::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

#[cfg(test)]
mod tests;
