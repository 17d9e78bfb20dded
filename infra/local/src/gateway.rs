//! The HTTP front of the bridge. It behaves like an API Gateway HTTP API: it routes requests to functions, and it
//! answers requests that match no function itself.

mod answer;
mod event;
mod path;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::event::example::filled;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::clock;
use crate::runtime_api::{RuntimeApi, request_id};
use event::Received;

/// The maximum size of a function's event, 6 MB. It includes the body as encoded in the event.
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;
/// How much of an oversized body is read before the response is sent.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// The routes of events, in which the local run fills in the times of examples. On AWS nothing does.
const EVENTS: &str = "/v1/events";

/// A route to a function. Paths match exactly, as on AWS, except for segments in braces.
#[derive(Clone, Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path. A segment such as `{id}` matches one segment of a request's path.
    pub path: &'static str,
    /// The name of the function that answers.
    pub function: &'static str,
}

struct Front {
    api: RuntimeApi,
    routes: Vec<Route>,
    home: String,
}

/// Builds the front with these routes. `home` is the plain text served at `/`. The router must be served with the
/// peer's address as [`ConnectInfo`].
pub fn router(api: RuntimeApi, routes: Vec<Route>, home: String) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Front { api, routes, home }))
}

async fn handle(
    State(front): State<Arc<Front>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    let found = front.routes.iter().filter(|route| route.method == *request.method()).find_map(|route| {
        let parameters = path::parameters(route.path, path)?;
        Some((route, parameters))
    });
    let Some((route, path_parameters)) = found else {
        if path == "/" && *request.method() == Method::GET {
            return ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], front.home.clone()).into_response();
        }
        return own(StatusCode::NOT_FOUND, "Not Found");
    };
    let id = request_id();
    let mut response = front.forward(route, path_parameters, (&id, peer), request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("apigw-requestid"), id);
    }
    response
}

impl Front {
    async fn forward(
        &self,
        route: &Route,
        path_parameters: BTreeMap<String, String>,
        (request_id, peer): (&str, SocketAddr),
        request: Request<Body>,
    ) -> Response {
        let (head, body) = request.into_parts();
        let Some(body) = read(body).await else {
            return own(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        };
        // A signature covers the bytes that were sent, so a signed body stays as it is.
        let is_signed = head.headers.contains_key("webhook-signature");
        let body = if route.path.starts_with(EVENTS) && !is_signed { filled_in(body) } else { body };
        let route_key = format!("{} {}", route.method, route.path);
        let received = Received {
            head: &head,
            body: &body,
            source_ip: peer.ip(),
            request_id,
            route_key: &route_key,
            path_parameters: &path_parameters,
        };
        let event = received.event().to_string();
        if event.len() > EVENT_BYTES_MAX {
            return own(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        }
        match tokio::time::timeout(INTEGRATION_LIMIT, self.api.invoke(route.function, event.into_bytes())).await {
            Ok(Ok(answer)) => answer::response(&answer)
                .unwrap_or_else(|| own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
            Ok(Err(_)) | Err(_) => own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

/// Reads the whole body. `None` if it is too long for any event. An oversized body is still read up to a limit, because
/// few clients receive a response that is sent before the request ends.
async fn read(body: Body) -> Option<Bytes> {
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        length += piece.len();
        if length > DRAINED_BYTES_MAX {
            break;
        }
        if length <= EVENT_BYTES_MAX {
            kept.extend_from_slice(&piece);
        }
    }
    (length <= EVENT_BYTES_MAX).then(|| kept.into())
}

/// Replaces the times of a published example. The body of any other event has none, and stays as it is.
fn filled_in(body: Bytes) -> Bytes {
    match std::str::from_utf8(&body) {
        Ok(text) if text.contains("{{") => filled(text, clock::now()).into(),
        _ => body,
    }
}

/// Returns a response of the gateway itself.
fn own(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
