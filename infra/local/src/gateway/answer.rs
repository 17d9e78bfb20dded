//! Converts a function's answer to an HTTP response, according to payload format 2.0.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proxied {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Returns the HTTP response for a function's answer. JSON without a `statusCode` becomes the body of a 200 response.
/// `None` if the answer is malformed.
pub(super) fn response(answer: &[u8]) -> Option<Response> {
    let value: Value = serde_json::from_slice(answer).ok()?;
    if value.get("statusCode").is_none() {
        let json = HeaderValue::from_static("application/json");
        return Some(([(header::CONTENT_TYPE, json)], value.to_string()).into_response());
    }
    let proxied: Proxied = serde_json::from_value(value).ok()?;
    let body = proxied.body.unwrap_or_default();
    let body = if proxied.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(proxied.status_code).ok()?;
    let single = proxied.headers.into_iter().flatten().map(|(name, value)| (name, vec![value]));
    let several = proxied.multi_value_headers.into_iter().flatten();
    for (name, values) in single.chain(several) {
        add(response.headers_mut(), &name, &values)?;
    }
    for cookie in proxied.cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    if !response.headers().contains_key(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    }
    Some(response)
}

/// Adds a header. Headers that the connection itself determines are skipped. So is a value that is already present,
/// because the runtime may return both forms of the header list.
fn add(headers: &mut HeaderMap, name: &str, values: &[Value]) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    if [header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING].contains(&name) {
        return Some(());
    }
    for value in values {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = HeaderValue::from_str(&text).ok()?;
        if !headers.get_all(&name).iter().any(|present| *present == value) {
            headers.append(name.clone(), value);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn answered(answer: Value) -> (u16, HeaderMap, String) {
        let response = response(answer.to_string().as_bytes()).unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), head.headers, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn status_headers_cookies_and_body_are_taken_over() {
        let (status, headers, body) = answered(json!({
            "statusCode": 422,
            "headers": {"Content-Type": "application/problem+json", "Retry-After": 5, "content-length": "999"},
            "multiValueHeaders": {"x-tag": ["one", "two"], "content-type": ["application/problem+json"]},
            "cookies": ["a=1", "b=2"],
            "body": "{\"title\":\"è\"}",
            "isBase64Encoded": false,
        }))
        .await;
        assert_eq!((status, body.as_str()), (422, "{\"title\":\"è\"}"));
        assert_eq!(headers["retry-after"], "5");
        assert_eq!(headers.get_all("content-type").iter().collect::<Vec<_>>(), ["application/problem+json"]);
        assert_eq!(headers.get_all("x-tag").iter().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(!headers.contains_key("content-length"));
    }

    #[tokio::test]
    async fn a_base64_body_is_decoded() {
        let answer = json!({"statusCode": 200, "body": "w6g=", "isBase64Encoded": true});
        assert_eq!(answered(answer).await.2, "è");
    }

    #[tokio::test]
    async fn plain_json_is_a_200() {
        let (status, headers, body) = answered(json!({"ok": true})).await;
        assert_eq!((status, body.as_str()), (200, "{\"ok\":true}"));
        assert_eq!(headers["content-type"], "application/json");
    }

    #[test]
    fn a_malformed_answer_yields_no_response() {
        for wrong in [
            "",
            "{",
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
        ] {
            assert!(response(wrong.as_bytes()).is_none(), "{wrong} was taken");
        }
    }
}
