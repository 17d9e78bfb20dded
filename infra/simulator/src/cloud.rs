//! The Cloud API over HTTP: paths, token and body of the calls that the bridge makes.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    exchange::{self, Incoming, Reply},
    fallback,
    graph_error::GraphError,
    listing::{self, Query},
    response::{self, Cut},
    state::Shared,
};

/// Returns the routes of the Cloud API under any version prefix.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/{version}/messages", post(send_without_id))
        .route("/{version}/{id}/messages", post(send_with_id))
        .route("/{version}/{id}/message_templates", get(list))
        .route("/{version}/{id}", get(node).fallback(fallback::not_found))
}

async fn send_with_id(
    State(shared): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    send(&shared, &version, Some(&id), &headers, body).await
}

async fn send_without_id(
    State(shared): State<Shared>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    send(&shared, &version, None, &headers, body).await
}

async fn send(
    shared: &Shared,
    version: &str,
    phone_number_id: Option<&str>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !is_version(version) {
        return fallback::unknown_path(shared);
    }
    let incoming = Incoming { phone_number_id, token: token(shared, headers), body: json_body(headers, body) };
    let exchange::Answer { reply, posted } = exchange::receive(shared, incoming);
    if let Some(posted) = posted {
        // An error means that a reset discarded the statuses, so there is nothing left to wait for.
        let _ = posted.await;
    }
    match reply {
        Reply::Cut => Cut.into_response(),
        Reply::Json { status, body, delay } => {
            // The outcome is decided and recorded before this delay. A caller that gives up changes nothing.
            tokio::time::sleep(delay).await;
            response::json(status, body)
        }
    }
}

async fn list(
    State(shared): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !is_version(&version) {
        return fallback::unknown_path(&shared);
    }
    let settings = shared.settings();
    let query = token(&shared, &headers)
        .and_then(|()| if id == settings.waba_id { Ok(()) } else { Err(GraphError::unknown_object(&id)) })
        .and_then(|()| Query::parse(&query.unwrap_or_default()));
    match query {
        Ok(query) => {
            let page = listing::page(&shared.lock().templates, &query, &settings.waba_id, &settings.access_token);
            response::json(200, page)
        }
        Err(error) => response::refusal(&shared, &error),
    }
}

/// Answers a read of the sender's record. The caller only checks that the sender exists.
async fn node(
    State(shared): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !is_version(&version) {
        return fallback::not_found(State(shared), uri).await;
    }
    let settings = shared.settings();
    match token(&shared, &headers) {
        Ok(()) if id == settings.phone_number_id => {
            response::json(200, json!({"id": id, "display_phone_number": settings.display_phone_number}))
        }
        Ok(()) => response::refusal(&shared, &GraphError::unknown_object(&id)),
        Err(error) => response::refusal(&shared, &error),
    }
}

/// Returns whether the segment is an API version such as `v1` or `v23.0`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

fn token(shared: &Shared, headers: &HeaderMap) -> Result<(), GraphError> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && token == shared.settings().access_token => {
            Ok(())
        }
        Some(_) => Err(GraphError::token("Invalid access token")),
        None => Err(GraphError::token("An access token is required")),
    }
}

fn json_body(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, GraphError> {
    let body = body.map_err(|rejection| GraphError::new(100, rejection.body_text()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(GraphError::new(100, "Without Content-Type application/json the body is not read"));
    }
    serde_json::from_slice(&body).map_err(|error| GraphError::new(100, format!("The body is not JSON: {error}")))
}
