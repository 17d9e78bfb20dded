//! The phone: a page that shows what recipients would see, and the view it reads.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    send::Rendered,
    state::{Message, Request, Shared, State as Memory, TemplateRef},
};

/// Own files only, no inline script or style, nobody may frame the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page, its parts and its view.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(|| async { file("text/html; charset=utf-8", include_str!("phone.html")) }))
        .route("/phone.css", get(|| async { file("text/css; charset=utf-8", include_str!("phone.css")) }))
        .route("/phone.js", get(|| async { file("text/javascript; charset=utf-8", include_str!("phone.js")) }))
        .route("/icon.svg", get(|| async { file("image/svg+xml", include_str!("icon.svg")) }))
        .route("/_sim/phone", get(view))
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The page changes with the program, and is only ever a loopback away.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

/// What is new since a cursor.
#[derive(Serialize)]
struct View<'a> {
    /// To be sent back as `after`.
    cursor: String,
    /// The cursor asked for is not of this simulator or is from before a reset: forget what you have.
    anew: bool,
    sender: &'a str,
    messages: Vec<Bubble<'a>>,
    refused: Vec<Refused<'a>>,
}

#[derive(Serialize)]
struct Bubble<'a> {
    id: &'a str,
    wa_id: &'a str,
    template: &'a TemplateRef,
    category: &'a str,
    received_at: Timestamp,
    #[serde(flatten)]
    rendered: &'a Rendered,
}

#[derive(Serialize)]
struct Refused<'a> {
    to: Option<&'a str>,
    template: Option<&'a str>,
    status: Option<u16>,
    code: Option<i64>,
    details: Option<&'a str>,
    accepted: bool,
    received_at: Timestamp,
}

async fn view(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let after = query.as_deref().and_then(|query| query.strip_prefix("after="));
    let state = shared.lock();
    let known = after.and_then(Cursor::parse).filter(|cursor| cursor.continues(&state));
    let from = known.unwrap_or(Cursor { messages: 0, requests: 0, ..Cursor::of(&state) });
    let view = View {
        cursor: Cursor::of(&state).text(),
        anew: known.is_none(),
        sender: &shared.settings().display_phone_number,
        messages: state.messages.iter().skip(from.messages).map(bubble).collect(),
        refused: state.requests.iter().skip(from.requests).filter(|request| troubled(request)).map(refused).collect(),
    };
    Json(view).into_response()
}

/// Refused, or accepted without the sender hearing of it.
fn troubled(request: &Request) -> bool {
    !request.accepted || request.status.is_none()
}

fn bubble(message: &Message) -> Bubble<'_> {
    Bubble {
        id: &message.id,
        wa_id: &message.wa_id,
        template: &message.template,
        category: &message.category,
        received_at: message.received_at,
        rendered: &message.rendered,
    }
}

fn refused(request: &Request) -> Refused<'_> {
    Refused {
        to: request.to.as_deref(),
        template: request.template.as_deref(),
        status: request.status,
        code: request.code,
        details: request.details.as_deref(),
        accepted: request.accepted,
        received_at: request.received_at,
    }
}

/// How much of which simulator's memory a page has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cursor {
    run: u64,
    resets: u64,
    messages: usize,
    requests: usize,
}

impl Cursor {
    fn of(state: &Memory) -> Self {
        Self {
            run: state.ids.run(),
            resets: state.resets,
            messages: state.messages.len(),
            requests: state.requests.len(),
        }
    }

    fn continues(&self, state: &Memory) -> bool {
        let now = Self::of(state);
        (self.run, self.resets) == (now.run, now.resets)
            && self.messages <= now.messages
            && self.requests <= now.requests
    }

    fn text(self) -> String {
        format!("{:x}-{}-{}-{}", self.run, self.resets, self.messages, self.requests)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let cursor = Self {
            run: u64::from_str_radix(parts.next()?, 16).ok()?,
            resets: parts.next()?.parse().ok()?,
            messages: parts.next()?.parse().ok()?,
            requests: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_wrote() {
        let cursor = Cursor { run: u64::MAX, resets: 2, messages: 30, requests: 41 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "x", "1-2-3", "1-2-3-4-5", "1-2-3--4"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
