//! Receives Passweb's callbacks and WA Smart Business's webhooks: authenticates, parses, enqueues and answers. It
//! makes no decisions about messages.
//!
//! A 202 means that SQS has the event. Cheap checks come first, and the first failure is the answer: size (413),
//! key and signature (401), limit (429), content type (415), JSON (400), content (422), SQS (503). `webhook.rs` lists the
//! checks of the webhooks.

mod auth;
mod batch;
mod cached;
mod config;
mod keys;
mod limits;
mod problem;
mod signature;
mod validate;
mod webhook;
mod webhooks;

use domain::event::Event;
use domain::primitives::id::SiteId;
use domain::primitives::json::too_deep;
use domain::primitives::trace::TraceParent;
use domain::queue::job::Job;
use http::{Method, StatusCode, header};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use queue::{EventsQueue, StatusesQueue};
use runtime::Clock;
use runtime::metrics::{Metric, Metrics};
use runtime::secrets::Secrets;
use runtime::telemetry::{self, field};
use serde_json::{Value, json};
use store::config::ConfigTable;
use tracing::{Instrument, Span};

pub use config::Config;
use problem::Problem;
pub use webhook::WEBHOOK_BYTES_MAX;

/// Maximum size of an event, in bytes. SQS accepts 256 KiB, and escaping may triple the size of Passweb's data.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Maximum size of a batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Path of the webhooks, followed by the webhook's id.
const WEBHOOKS: &str = "/v1/webhooks/whatsapp/";

/// The clients and the state that the handler borrows.
#[derive(Debug)]
pub struct App {
    config: ConfigTable,
    keys: keys::Keys,
    limits: limits::Limits,
    metrics: Metrics,
    webhooks: webhooks::Webhooks,
    queue: EventsQueue,
    statuses: StatusesQueue,
    secrets: Secrets,
    clock: Clock,
}

impl App {
    /// Creates an app from the clients of the process.
    #[must_use]
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        secrets: aws_sdk_secretsmanager::Client,
        config: Config,
        clock: Clock,
    ) -> Self {
        let table = ConfigTable::new(dynamodb.clone(), config.config_table.clone());
        Self {
            limits: limits::Limits::new(table.clone(), config.events_per_minute),
            keys: keys::Keys::new(table.clone()),
            config: table,
            metrics: config.metrics,
            webhooks: webhooks::Webhooks::new(store::webhooks::Webhooks::new(dynamodb, config.config_table)),
            queue: EventsQueue::new(sqs.clone(), config.events_queue_url),
            statuses: StatusesQueue::new(sqs, config.statuses_queue_url),
            secrets: Secrets::new(secrets, config.stack),
            clock,
        }
    }
}

/// Answers a request of the API.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let context = context_of(&request);
    respond(app, request).instrument(context).await
}

/// Returns the context of a request: its ids at Lambda and at the gateway, and the trace of the caller.
fn context_of(request: &Request) -> Span {
    let context = telemetry::context(&[]);
    let ids = [
        (field::REQUEST, request.lambda_context_ref().map(|lambda| lambda.request_id.clone())),
        (field::GATEWAY, gateway_id(request)),
        (field::TRACE, trace_of(request).map(|trace| trace.trace_id().to_owned())),
    ];
    for (name, id) in ids {
        if let Some(id) = id {
            context.record(name, id);
        }
    }
    context
}

/// Returns the gateway's id of a request.
fn gateway_id(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

/// Returns the trace of the caller. An invalid header is ignored, as the standard requires.
fn trace_of(request: &Request) -> Option<TraceParent> {
    request.headers().get("traceparent")?.to_str().ok().and_then(TraceParent::parse)
}

async fn respond(app: &App, request: Request) -> Response<Body> {
    let response = answer(app, &request).await.unwrap_or_else(|problem| {
        // An address without a webhook is a guess, like any unknown path.
        let is_webhook = request.uri().path().starts_with(WEBHOOKS) && problem.status() != StatusCode::NOT_FOUND;
        let refused = if is_webhook { Metric::WebhooksRefused } else { Metric::EventsRefused };
        app.metrics.count_by(refused, problem.kind());
        let status = problem.status();
        // Anyone can cause these. The access log of the gateway has them. The address of a webhook is a secret.
        let is_anyones = status == StatusCode::NOT_FOUND || (status == StatusCode::UNAUTHORIZED && !is_webhook);
        if is_anyones {
            tracing::debug!(http.status = status.as_u16(), problem = problem.kind(), "refused a request");
        } else {
            tracing::info!(http.status = status.as_u16(), problem = problem.kind(), "refused a request");
        }
        problem.into_response()
    });
    app.metrics.flush(app.clock.now());
    response
}

async fn answer(app: &App, request: &Request) -> Result<Response<Body>, Problem> {
    let path = request.uri().path();
    let (status, body) = match (request.method(), path, path.strip_prefix(WEBHOOKS)) {
        (&Method::POST, "/v1/events", _) => one(app, request).await?,
        (&Method::POST, "/v1/events/batch", _) => batch::handle(app, request).await?,
        (&Method::POST, "/v1/events/validate", _) => return validate::handle(app, request).await,
        (&Method::POST, _, Some(id)) => {
            let taken = webhook::take(app, id, request).await?;
            app.metrics.count(Metric::WebhooksAccepted, 1);
            taken
        }
        (&Method::GET, _, Some(id)) => return webhook::verify(app, id, request).await,
        _ => return Err(Problem::not_found()),
    };
    Ok(json_response(status, "application/json", &body))
}

/// `POST /v1/events`.
async fn one(app: &App, request: &Request) -> Result<(StatusCode, Value), Problem> {
    let now = app.clock.now();
    let Admitted { site, key_id, document } = admit(app, request, EVENT_BYTES_MAX, now).await?;
    let event = Event::parse(document, now).map_err(Problem::of_event)?;
    telemetry::note(&[(field::EVENT, &event.id)]);
    let job = Job::event(site.clone(), now, event.document.clone()).traced(trace_of(request));
    app.queue.send(&job).await.map_err(|error| Problem::not_queued(&error))?;
    app.limits.count(&key_id, 1, now).await;
    app.metrics.count(Metric::EventsAccepted, 1);
    tracing::info!(%site, event.id = %event.id, event.kind = %event.kind(), "accepted an event");
    Ok((StatusCode::ACCEPTED, json!({"id": event.id, "status": "accepted"})))
}

/// A request that passed the first checks.
struct Admitted {
    site: SiteId,
    key_id: String,
    document: Value,
}

/// Performs the first checks of every route: size, key, signature, limit, content type, JSON.
async fn admit(app: &App, request: &Request, bytes_max: usize, now: Timestamp) -> Result<Admitted, Problem> {
    let bytes: &[u8] = request.body().as_ref();
    check_size(bytes, bytes_max)?;
    let presented = auth::presented_key(request)?;
    let key = app.keys.admit(&presented, now).await?;
    telemetry::note(&[(field::SITE, &key.site)]);
    signature::check(app, request, &key, now).await?;
    app.limits.check(&key.key_id, now)?;
    check_content_type(request)?;
    Ok(Admitted { site: key.site, key_id: key.key_id, document: read_json(bytes)? })
}

fn check_size(bytes: &[u8], bytes_max: usize) -> Result<(), Problem> {
    if bytes.len() <= bytes_max {
        return Ok(());
    }
    let detail = format!("The body has {} bytes; at most {bytes_max} are taken.", bytes.len());
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail))
}

/// Parses a body as JSON. A byte order mark, which some systems put before UTF-8, is ignored.
fn read_json(bytes: &[u8]) -> Result<Value, Problem> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    serde_json::from_slice(text).map_err(|error| {
        // `serde_json` has no error kind for nesting beyond its limit of 127 levels.
        if error.to_string().starts_with("recursion limit exceeded") {
            return Problem::invalid(vec![too_deep()]);
        }
        // The position is enough. serde's message may quote the body.
        let detail = format!("The body is not JSON in UTF-8 (line {}, column {}).", error.line(), error.column());
        Problem::new(StatusCode::BAD_REQUEST, "not-json", &detail)
    })
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
