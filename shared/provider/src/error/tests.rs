use proptest::prelude::*;

use super::*;

fn of(status: u16, body: &str) -> SendError {
    SendError::of_answer(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
}

fn code(code: &str) -> String {
    format!(r#"{{"error":{{"code":{code},"message":"m","error_data":{{"details":"d"}},"fbtrace_id":"t"}}}}"#)
}

#[track_caller]
fn check(status: u16, body: &str, expected: &str) {
    let outcome = match of(status, body) {
        SendError::Refused(_) => "refused",
        SendError::NotAccepted { .. } => "again",
        SendError::Unknown { .. } => "unknown",
    };
    assert_eq!(outcome, expected, "{status} {body}");
}

#[test]
fn a_listed_code_decides_the_outcome_before_the_status() {
    for (listed, class) in error_code::TABLE {
        let expected = match class {
            Class::Message => "refused",
            Class::MaybeSent => "unknown",
            _ => "again",
        };
        check(400, &code(listed), expected);
        let without_proof = if *class == Class::Ambiguous { "unknown" } else { expected };
        for status in [303, 408, 500] {
            check(status, &code(listed), without_proof);
            check(status, &code(&format!("\"{listed}\"")), without_proof);
        }
    }
}

#[test]
fn without_a_listed_code_the_status_decides() {
    check(400, &code("999999"), "refused");
    check(500, &code("999999"), "unknown");
    check(401, "no", "again");
    check(403, "{}", "again");
    check(429, "slow down", "again");
    check(408, "", "unknown");
    check(301, "", "again");
    check(303, "", "unknown");
    check(504, r#"{"code":4,"message":"context deadline exceeded"}"#, "unknown");
    check(408, r#"{"code":4,"message":"context deadline exceeded"}"#, "unknown");
    check(400, r#"{"code":4,"message":"own wrapper"}"#, "again");
    check(404, "<html>", "refused");
    check(502, "<html>", "unknown");
}

#[test]
fn error_details_are_read_from_every_field_providers_use() {
    let details = |body: &str| failure(body.as_bytes()).details;
    assert_eq!(details(&code("1")), "d");
    assert_eq!(details(r#"{"error":{"code":1,"error_data":"plain"}}"#), "plain");
    assert_eq!(details(r#"{"code":"7","message":"own wrapper"}"#), "own wrapper");
    assert_eq!(details("no json"), "the answer is no error of the Cloud API");
    assert_eq!(details(&format!(r#"{{"message":"{}"}}"#, "x".repeat(900))).len(), 500);
    assert_eq!(failure(code("1").as_bytes()).trace_id.as_deref(), Some("t"));
}

/// Wrappers of Meta's errors that were observed at providers, and some more.
fn wrapped(wrapper: usize, code: &str) -> String {
    let meta = format!(r#"{{"error":{{"code":{code},"message":"(#{code}) Something went wrong"}}}}"#);
    match wrapper {
        0 => meta,
        1 => format!(r#"{{"error":{{"code":"{code}"}}}}"#),
        2 => format!(r#"{{"code":{code},"message":"m"}}"#),
        3 => format!(r#"{{"errors":[{{"code":{code}}}]}}"#),
        4 => format!(r#"{{"success":false,"data":{meta}}}"#),
        5 => serde_json::json!({"error": meta}).to_string(),
        6 => serde_json::json!({"error": {"code": 100, "message": meta}}).to_string(),
        7 => format!("upstream said (#{code}) Something went wrong"),
        8 => format!(r#"{{"error":{{"error_code":{code}}}}}"#),
        _ => format!(r#"{{"error":{{"code":190,"error_data":{{"details":"code: {code}"}}}}}}"#),
    }
}

proptest! {
    #[test]
    fn no_code_that_may_mean_sent_leads_to_a_second_call(
        status in 100u16..600,
        wrapper in 0usize..10,
        listed in prop::sample::select(error_code::TABLE),
    ) {
        let (listed, class) = listed;
        let outcome = of(status, &wrapped(wrapper, listed));
        let unknown = matches!(outcome, SendError::Unknown { .. });
        if class == Class::MaybeSent {
            prop_assert!(unknown, "{status} {outcome:?}");
        }
        if class == Class::Ambiguous && wrapper < 5 && proves_nothing(StatusCode::from_u16(status).unwrap()) {
            prop_assert!(unknown, "{status} {outcome:?}");
        }
    }
}
