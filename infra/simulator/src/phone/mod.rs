//! The phone: a page that shows the messages of recipients, and the view that it reads.

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
    state::{InboundMessage, Message, Request, Shared, State as Memory, TemplateRef, Tick},
};

/// Allows only the page's own files: no inline script or style, and no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Returns the routes of the page, its files and its view.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(|| async { file("text/html; charset=utf-8", include_str!("phone.html")) }))
        .route("/phone.css", get(|| async { file(STYLE, include_str!("phone.css")) }))
        .route("/answer.css", get(|| async { file(STYLE, include_str!("answer.css")) }))
        .route("/phone.js", get(|| async { file(SCRIPT, include_str!("phone.js")) }))
        .route("/page.js", get(|| async { file(SCRIPT, include_str!("page.js")) }))
        .route("/ticks.js", get(|| async { file(SCRIPT, include_str!("ticks.js")) }))
        .route("/answer.js", get(|| async { file(SCRIPT, include_str!("answer.js")) }))
        .route("/icon.svg", get(|| async { file("image/svg+xml", include_str!("icon.svg")) }))
        .route("/_sim/phone", get(view))
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The page changes with the program, and loading it from a loopback address costs little.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

/// The changes since a cursor.
#[derive(Serialize)]
struct View<'a> {
    /// The client sends this back as `after`.
    cursor: String,
    /// Set if the requested cursor belongs to another simulator or precedes a reset. The page then discards its state.
    anew: bool,
    sender: &'a str,
    messages: Vec<Bubble<'a>>,
    refused: Vec<Refused<'a>>,
    /// Messages that recipients wrote.
    inbound: Vec<Written<'a>>,
    /// Statuses reported to the sender, including those of older messages.
    ticks: Vec<Reached<'a>>,
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

#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    wa_id: &'a str,
    body: &'a str,
    received_at: Timestamp,
}

#[derive(Serialize)]
struct Reached<'a> {
    id: &'a str,
    status: &'static str,
    code: Option<i64>,
}

async fn view(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let after = query.as_deref().and_then(|query| query.strip_prefix("after="));
    let state = shared.lock();
    let known = after.and_then(Cursor::parse).filter(|cursor| cursor.continues(&state));
    let from = known.unwrap_or(Cursor { messages: 0, requests: 0, inbound: 0, ticks: 0, ..Cursor::of(&state) });
    let view = View {
        cursor: Cursor::of(&state).text(),
        anew: known.is_none(),
        sender: &shared.settings().display_phone_number,
        messages: state.messages.iter().skip(from.messages).map(bubble).collect(),
        refused: state.requests.iter().skip(from.requests).filter(|request| troubled(request)).map(refused).collect(),
        inbound: state.inbound.iter().skip(from.inbound).map(written).collect(),
        ticks: state.ticks.iter().skip(from.ticks).map(reached).collect(),
    };
    Json(view).into_response()
}

/// Returns whether the send was refused, or accepted without an answer to the sender.
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

fn written(message: &InboundMessage) -> Written<'_> {
    Written { id: &message.id, wa_id: &message.wa_id, body: &message.text, received_at: message.received_at }
}

fn reached(tick: &Tick) -> Reached<'_> {
    Reached { id: &tick.id, status: tick.status.word(), code: tick.status.code() }
}

/// A page's position in the records of one simulator run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cursor {
    run: u64,
    resets: u64,
    messages: usize,
    requests: usize,
    inbound: usize,
    ticks: usize,
}

impl Cursor {
    fn of(state: &Memory) -> Self {
        Self {
            run: state.ids.run(),
            resets: state.resets,
            messages: state.messages.len(),
            requests: state.requests.len(),
            inbound: state.inbound.len(),
            ticks: state.ticks.len(),
        }
    }

    fn continues(&self, state: &Memory) -> bool {
        let now = Self::of(state);
        (self.run, self.resets) == (now.run, now.resets)
            && self.messages <= now.messages
            && self.requests <= now.requests
            && self.inbound <= now.inbound
            && self.ticks <= now.ticks
    }

    fn text(self) -> String {
        let Self { run, resets, messages, requests, inbound, ticks } = self;
        format!("{run:x}-{resets}-{messages}-{requests}-{inbound}-{ticks}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let cursor = Self {
            run: u64::from_str_radix(parts.next()?, 16).ok()?,
            resets: parts.next()?.parse().ok()?,
            messages: parts.next()?.parse().ok()?,
            requests: parts.next()?.parse().ok()?,
            inbound: parts.next()?.parse().ok()?,
            ticks: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        let cursor = Cursor { run: u64::MAX, resets: 2, messages: 30, requests: 41, inbound: 7, ticks: 90 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "x", "1-2-3-4-5", "1-2-3-4-5-6-7", "1-2-3-4--5"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
