//! The HTTP interface of the Runtime API: paths, headers and status codes as documented by AWS.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{InvokeError, Next, RuntimeApi, request_id};
use crate::{
    clock,
    emulators::{ACCOUNT, REGION},
};

/// The maximum size of an answer: 6 MB and, as on AWS, an extra 100 bytes for the envelope.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

impl RuntimeApi {
    /// Returns the routes, to be served on one listener for all workers. A worker's `AWS_LAMBDA_RUNTIME_API` is
    /// `http://<listener>/<worker id>`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{worker}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{worker}/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/{worker}/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/{worker}/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(ANSWER_BYTES_MAX))
            .with_state(self.clone())
    }
}

async fn next(State(api): State<RuntimeApi>, Path(worker): Path<String>) -> Response {
    let Some(Next { id, payload, function, deadline_ms }) = api.next(&worker).await else {
        return refused(StatusCode::FORBIDDEN, "Runtime.Replaced", "this process has been replaced");
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}")),
        ("lambda-runtime-trace-id", trace_id()),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value));
    (axum::response::AppendHeaders(headers), payload).into_response()
}

async fn response(State(api): State<RuntimeApi>, Path((worker, id)): Path<(String, String)>, body: Bytes) -> Response {
    accepted(api.settle(&worker, &id, Ok(body)))
}

/// An error as the Lambda runtime reports it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Diagnostic {
    error_type: String,
    error_message: String,
}

impl Default for Diagnostic {
    fn default() -> Self {
        Self { error_type: "Unknown".to_owned(), error_message: "the function gave no reason".to_owned() }
    }
}

async fn error(State(api): State<RuntimeApi>, Path((worker, id)): Path<(String, String)>, body: Bytes) -> Response {
    let Diagnostic { error_type, error_message } = serde_json::from_slice(&body).unwrap_or_default();
    accepted(api.settle(&worker, &id, Err(InvokeError::Failed { error_type, message: error_message })))
}

/// A function that cannot start reports it here and exits. Only the exit is evaluated. The function's log contains the
/// reason.
async fn init_error() -> Response {
    accepted(true)
}

fn accepted(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
    } else {
        refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "no such invocation is under way")
    }
}

fn refused(status: StatusCode, error_type: &str, message: &str) -> Response {
    (status, Json(json!({"errorType": error_type, "errorMessage": message}))).into_response()
}

/// Returns an X-Ray trace header that is not sampled.
fn trace_id() -> String {
    let seconds = clock::now().as_second();
    let random: String = request_id().chars().filter(char::is_ascii_hexdigit).collect();
    let parent = random.get(..16).unwrap_or_default();
    let root = random.get(8..).unwrap_or_default();
    format!("Root=1-{seconds:08x}-{root};Parent={parent};Sampled=0")
}
