//! Converts an HTTP request to an event of payload format 2.0.

use std::{collections::BTreeMap, net::IpAddr};

use axum::{
    body::Bytes,
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{clock, emulators::ACCOUNT};

/// A completely received request.
pub(super) struct Received<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: &'a Bytes,
    pub(super) source_ip: IpAddr,
    pub(super) request_id: &'a str,
    /// Method and path of the matching route.
    pub(super) route_key: &'a str,
    /// The values of the variable segments in the path.
    pub(super) path_parameters: &'a BTreeMap<String, String>,
}

impl Received<'_> {
    /// Builds the event. As with API Gateway, fields that are absent from the request are absent from the event.
    pub(super) fn event(&self) -> Value {
        let headers = self.headers();
        let host = headers.get("host").cloned().unwrap_or_default();
        let now = clock::now();
        let (body, is_base64) = self.body().map_or((None, false), |(body, is_base64)| (Some(body), is_base64));
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": self.head.uri.path(),
            "rawQueryString": self.head.uri.query().unwrap_or_default(),
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": host,
                "domainPrefix": host.split('.').next(),
                "http": {
                    "method": self.head.method.as_str(),
                    "path": self.head.uri.path(),
                    "protocol": format!("{:?}", self.head.version),
                    "sourceIp": self.source_ip.to_string(),
                    "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
                },
                "requestId": self.request_id,
                "routeKey": self.route_key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": now.as_millisecond(),
            },
            "headers": headers,
            "isBase64Encoded": is_base64,
        });
        let optional = [
            ("cookies", present(cookies(&self.head.headers))),
            ("pathParameters", present(self.path_parameters)),
            ("queryStringParameters", present(self.parameters())),
            ("body", body.map(Value::from)),
        ];
        if let Some(event) = event.as_object_mut() {
            event.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        event
    }

    /// Returns the headers with lower-case names. Several values are joined by a comma. Cookies have their own field.
    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers =
            joined(self.head.headers.iter().filter(|(name, _)| **name != header::COOKIE).map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            }));
        let source = self.source_ip.to_string();
        headers
            .entry("x-forwarded-for".to_owned())
            .and_modify(|hops| *hops = format!("{hops}, {source}"))
            .or_insert(source);
        headers.entry("x-forwarded-proto".to_owned()).or_insert_with(|| "http".to_owned());
        headers
    }

    /// Returns the decoded query parameters. Several values of one name are joined by a comma.
    fn parameters(&self) -> BTreeMap<String, String> {
        let query = self.head.uri.query().unwrap_or_default();
        joined(url::form_urlencoded::parse(query.as_bytes()).into_owned())
    }

    /// Returns the body and whether it is Base64-encoded. JSON cannot hold bytes that are not UTF-8. A text body with
    /// such bytes is therefore encoded too, and reaches the function unchanged.
    fn body(&self) -> Option<(String, bool)> {
        if self.body.is_empty() {
            return None;
        }
        let text = is_text(&self.head.headers).then(|| std::str::from_utf8(self.body).ok()).flatten();
        Some(text.map_or_else(|| (STANDARD.encode(self.body), true), |text| (text.to_owned(), false)))
    }
}

/// Returns the list or map as JSON unless it is empty.
fn present<T: Serialize>(values: T) -> Option<Value> {
    let value = json!(values);
    let is_empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
    (!is_empty).then_some(value)
}

fn joined(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).and_modify(|values: &mut String| *values = format!("{values},{value}")).or_insert(value);
    }
    all
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    lines.flat_map(|line| line.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// Returns whether an HTTP API passes this content type on as text, as measured on AWS. Everything else is
/// Base64-encoded, including a form and a body without a content type.
fn is_text(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || matches!(essence.as_str(), "application/json" | "application/xml" | "application/javascript")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn event(
        build: impl FnOnce(axum::http::request::Builder) -> axum::http::request::Builder,
        body: &'static [u8],
    ) -> Value {
        let request = build(Request::post("/v1/events").header("Host", "127.0.0.1:8080")).body(()).unwrap();
        let (head, ()) = request.into_parts();
        let received = Received {
            head: &head,
            body: &Bytes::from_static(body),
            source_ip: "127.0.0.1".parse().unwrap(),
            request_id: "r-1",
            route_key: "POST /v1/events",
            path_parameters: &BTreeMap::new(),
        };
        received.event()
    }

    #[test]
    fn a_request_becomes_an_event_of_format_2() {
        let event = event(
            |request| {
                request
                    .uri("/v1/events?a=1&a=2&name=Citt%C3%A0+nuova")
                    .header("Content-Type", "application/json")
                    .header("X-Tag", "one")
                    .header("X-Tag", "two")
                    .header("User-Agent", "Passweb")
                    .header("Cookie", "a=1; b=2")
                    .header("X-Forwarded-For", "192.0.2.1")
            },
            b"{\"id\":1}",
        );
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "POST /v1/events");
        assert_eq!(event["rawPath"], "/v1/events");
        assert_eq!(event["rawQueryString"], "a=1&a=2&name=Citt%C3%A0+nuova");
        assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "name": "Città nuova"}));
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(event["headers"]["x-tag"], "one,two");
        assert_eq!(event["headers"]["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
        assert_eq!(event["headers"]["cookie"], Value::Null);
        assert_eq!(event["body"], "{\"id\":1}");
        assert_eq!(event["isBase64Encoded"], false);
        let http = &event["requestContext"]["http"];
        assert_eq!(http["method"], "POST");
        assert_eq!(http["path"], "/v1/events");
        assert_eq!(http["protocol"], "HTTP/1.1");
        assert_eq!(http["sourceIp"], "127.0.0.1");
        assert_eq!(http["userAgent"], "Passweb");
        assert_eq!(event["requestContext"]["stage"], "$default");
        assert_eq!(event["requestContext"]["requestId"], "r-1");
        assert!(event["requestContext"]["time"].as_str().unwrap().ends_with(" +0000"));
    }

    #[test]
    fn absent_parts_of_a_request_are_absent_from_its_event() {
        let event = event(|request| request, b"");
        for absent in ["body", "cookies", "pathParameters", "queryStringParameters"] {
            assert!(event.get(absent).is_none(), "{absent} is there");
        }
        assert_eq!(event["rawQueryString"], "");
    }

    #[track_caller]
    fn check(content_type: Option<&str>, body: &'static [u8], expected: &str, encoded: bool) {
        let event =
            event(|request| content_type.into_iter().fold(request, |r, value| r.header("content-type", value)), body);
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!(expected), &json!(encoded)),
            "{content_type:?}"
        );
    }

    #[test]
    fn only_text_content_types_are_passed_as_text() {
        for text in ["application/json", "Application/JSON; charset=utf-8", "application/xml", "text/plain"] {
            check(Some(text), b"{}", "{}", false);
        }
        for binary in
            ["application/octet-stream", "application/x-www-form-urlencoded", "application/ld+json", "image/png"]
        {
            check(Some(binary), b"{}", "e30=", true);
        }
        check(None, b"{}", "e30=", true);
        check(Some("application/json"), b"\xff{}", "/3t9", true);
    }

    #[test]
    fn the_function_reads_it_as_an_http_request() {
        let event = event(|request| request.header("content-type", "application/json"), b"{\"a\":\"\xc3\xa0\"}");
        assert_eq!(event["body"], "{\"a\":\"à\"}");
        assert_eq!(event["headers"]["content-type"], "application/json");
    }
}
