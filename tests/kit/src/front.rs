//! The HTTP front of a story. Webhooks of the simulator reach `receive-event` over HTTP, as they do through API
//! Gateway.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body as AxumBody, to_bytes};
use axum::extract::{Request as AxumRequest, State};
use axum::response::Response;
use lambda_http::{Body, Request};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Larger than any webhook of the simulator.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The server. It stops when the story ends.
#[derive(Debug)]
pub(crate) struct Front(JoinHandle<()>);

impl Drop for Front {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Front {
    pub(crate) fn serve(listener: TcpListener, app: Arc<receive_event::App>) -> Self {
        let router = Router::new().fallback(forward).with_state(app);
        Self(tokio::spawn(async move {
            // The server runs until it is dropped, so there is no error to handle.
            let _ended = axum::serve(listener, router).await;
        }))
    }
}

async fn forward(State(app): State<Arc<receive_event::App>>, request: AxumRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(request) = lambda_request(parts, body).await else {
        let mut response = Response::new(AxumBody::empty());
        *response.status_mut() = axum::http::StatusCode::BAD_REQUEST;
        return response;
    };
    let (parts, body) = receive_event::handle(&app, request).await.into_parts();
    Response::from_parts(parts, AxumBody::from(body.to_vec()))
}

async fn lambda_request(parts: axum::http::request::Parts, body: AxumBody) -> Result<Request> {
    let bytes = to_bytes(body, BODY_BYTES_MAX).await?;
    Ok(Request::from_parts(parts, Body::Binary(bytes.to_vec())))
}
