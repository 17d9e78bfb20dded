//! Answers that need neither a table nor a queue. The stories in `tests/stories` cover the others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::site::credential::{SECRET_BYTES, StoredKey};

use super::*;

fn key() -> String {
    StoredKey::create(SiteId::parse("demo").unwrap(), "k1", &[1; SECRET_BYTES]).1
}

fn request(headers: &[(&str, &str)], query: &str) -> Request {
    let mut request = Request::new(Body::Empty);
    *request.uri_mut() = format!("http://localhost/v1/events{query}").parse().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let parameters: lambda_http::aws_lambda_events::query_map::QueryMap =
        query.trim_start_matches('?').parse().unwrap();
    lambda_http::RequestExt::with_query_string_parameters(request, parameters)
}

#[test]
fn the_key_is_read_from_every_header_passweb_can_use() {
    let key = key();
    let secret = key.strip_prefix("pwb_k1_").unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("k1:{secret}")));
    let bearer = format!("Bearer {key}");
    let ways = [
        ("X-API-Key", &key),
        ("Api-Key", &key),
        ("X-Auth-Token", &key),
        ("Authorization", &bearer),
        ("Authorization", &basic),
    ];
    for (name, value) in ways {
        let presented = auth::presented_key(&request(&[(name, value)], "")).unwrap();
        assert_eq!(presented.key_id, "k1", "{name}");
    }
    assert!(auth::presented_key(&request(&[("x-api-key", &key), ("authorization", &basic)], "")).is_ok());
}

#[test]
fn a_missing_malformed_or_conflicting_key_or_one_in_the_query_is_401() {
    let key = key();
    let other = key.replace("k1", "k2");
    let header = ("x-api-key", key.as_str());
    let in_query = format!("?next={key}");
    let refused = [
        request(&[], ""),
        request(&[("x-api-key", "secret")], ""),
        request(&[("authorization", "Digest x")], ""),
        request(&[("authorization", "Basic %%%")], ""),
        request(&[header, ("api-key", &other)], ""),
        request(&[header, ("x-api-key", &other)], ""),
        request(&[header], "?api_key=x"),
        request(&[header], &in_query),
    ];
    for request in refused {
        let problem = auth::presented_key(&request).unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNAUTHORIZED);
        assert!(!problem.document().to_string().contains(&key), "{problem:?}");
    }
}

#[test]
fn only_utf8_json_is_an_accepted_content_type() {
    let check = |value: &str| check_content_type(&request(&[("content-type", value)], "")).is_ok();
    assert!(check("application/json"));
    assert!(check("Application/JSON; charset=UTF-8"));
    assert!(check("application/json;charset=\"utf-8\""));
    // RFC 9110 allows blanks before the semicolon; the crate `mime` refuses them.
    assert!(check("application/json ; charset=utf-8"));
    assert!(!check("text/plain"));
    assert!(!check("application/jsonx"));
    assert!(!check("application/json; charset=latin1"));
    assert!(check_content_type(&request(&[], "")).is_err());
}

#[test]
fn a_problem_is_an_rfc_9457_document() {
    let problem = Problem::of_event(domain::event::EventError::UnknownType);
    insta::assert_json_snapshot!(problem.document(), @r#"
    {
      "detail": "The bridge does not know this type of event.",
      "errors": [
        {
          "detail": "is no known event type",
          "pointer": "/type"
        }
      ],
      "known_types": [
        "order.status_changed",
        "cart.abandoned",
        "cart.closed",
        "message.sent",
        "message.read",
        "activity.saved",
        "activity.deleted",
        "activity.status_changed",
        "activity.acknowledged",
        "activity.reminder",
        "file.uploaded",
        "file.downloaded",
        "file.previewed",
        "documents.published",
        "customer.updated"
      ],
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "urn:passweb-bridge:problem:unknown-event-type"
    }
    "#);
    let response = Problem::unauthorized("No.").into_response();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let challenges: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer realm=\"passweb-bridge\"", "Basic realm=\"passweb-bridge\", charset=\"UTF-8\""]);
}
