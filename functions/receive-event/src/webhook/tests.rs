//! Checks of a request that need no table. The stories in `tests/stories` cover the rest.

use lambda_http::aws_lambda_events::query_map::QueryMap;

use super::*;

fn request(headers: &[(&'static str, &'static str)], query: &str) -> Request {
    let mut request = Request::new(Body::Empty);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    request.with_query_string_parameters(query.parse::<QueryMap>().unwrap())
}

#[test]
fn the_parameters_are_read_with_dots_and_with_underscores() {
    for query in ["hub.mode=subscribe&hub.verify_token=a%20b", "hub_mode=subscribe&hub_verify_token=a%20b"] {
        let request = request(&[], query);
        assert_eq!(asked(&request, "mode").as_deref(), Some("subscribe"), "{query}");
        assert_eq!(asked(&request, "verify_token").as_deref(), Some("a b"), "{query}");
        assert_eq!(asked(&request, "challenge"), None);
    }
}

#[test]
fn a_challenge_is_short_and_plain() {
    assert!(is_challenge("1158201444"));
    assert!(is_challenge(&"x".repeat(256)));
    for text in ["", "a b", "é", "a\nb", &"x".repeat(257)] {
        assert!(!is_challenge(text), "{text}");
    }
}

#[test]
fn a_header_is_used_only_if_present_exactly_once() {
    assert_eq!(only(&request(&[(SIGNATURE_HEADER, " sha256=x ")], ""), "X-Hub-Signature-256"), Some("sha256=x"));
    assert_eq!(only(&request(&[], ""), SIGNATURE_HEADER), None);
    assert_eq!(only(&request(&[(SIGNATURE_HEADER, "a"), (SIGNATURE_HEADER, "a")], ""), SIGNATURE_HEADER), None);
    assert_eq!(only(&request(&[(SIGNATURE_HEADER, "a")], ""), "no header's name"), None);
}
