//! Outcomes of calls that were not accepted, according to the state of the message after the call.

use domain::message::error_code::{self, Action, Class};
use domain::message::state::Failure;
use domain::primitives::cause::chain;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::Value;

/// The provider's settings are unusable. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    Client(String),
    /// The account's base URL must not be called.
    #[error("the account's base URL cannot be used: {0}")]
    BaseUrl(&'static str),
    /// The header with the token is invalid.
    #[error("the account's token or its header holds characters no header may have")]
    TokenHeader,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The message was refused permanently.
    #[error("refused with code {}: {}", .0.code, .0.details)]
    Refused(Failure),
    /// The message was certainly not accepted. A retry may succeed.
    #[error("not accepted, code {}: {}", failure.code, failure.details)]
    NotAccepted {
        /// The failure.
        failure: Failure,
        /// The required action.
        action: Action,
        /// The delay that the provider requested (`Retry-After`), if any.
        retry_after: Option<SignedDuration>,
    },
    /// Bytes may have left, and no complete answer arrived.
    #[error("unknown outcome: {cause}")]
    Unknown {
        /// The cause, in our own words.
        cause: String,
        /// The provider's details, if any. They may quote the message, so they are for the ledger only.
        details: Option<String>,
    },
}

/// Why a template list could not be read completely.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The account's settings are unusable.
    #[error(transparent)]
    Setup(SetupError),
    /// No answer arrived.
    #[error("the template list could not be reached: {0}")]
    Unreachable(String),
    /// The provider refused the request.
    #[error("the template list was refused with code {}: {}", .0.code, .0.details)]
    Refused(Failure),
    /// The answer is not a template list.
    #[error("the template list is malformed: {0}")]
    Malformed(String),
}

/// The code of a failure without a code.
const NO_CODE: &str = "none";
/// Maximum length of stored details, in characters.
const DETAILS_CHARS_MAX: usize = 500;
/// Maximum length of a stored code, in characters. Meta's have at most seven digits.
const CODE_CHARS_MAX: usize = 32;
/// Maximum length of a stored trace id, in characters. Meta's have about twenty.
const TRACE_ID_CHARS_MAX: usize = 128;

impl SendError {
    pub(crate) fn not_sent(error: SetupError) -> Self {
        // The settings failed before any byte was sent.
        Self::not_accepted(no_code(error.to_string()), error_code::usual(Class::Account))
    }

    fn not_accepted(failure: Failure, action: Action) -> Self {
        Self::NotAccepted { failure, action, retry_after: None }
    }

    pub(crate) fn unknown(cause: String) -> Self {
        Self::Unknown { cause, details: None }
    }

    /// Classifies a transport error. Without a connection no message was sent; any other error may have happened after
    /// the message left.
    pub(crate) fn of_transport(error: reqwest::Error) -> Self {
        let surely_not_sent = error.is_connect() || error.is_builder();
        let cause = chain(&error.without_url());
        if surely_not_sent {
            Self::not_accepted(no_code(cause), error_code::usual(Class::Retry))
        } else {
            Self::unknown(cause)
        }
    }

    /// Classifies an answer that is not a success:
    ///
    /// - A code that may mean "sent" makes the outcome unknown, with any status and in any wrapper.
    /// - Otherwise a listed code decides.
    /// - Without a listed code the status decides.
    pub(crate) fn of_answer(status: StatusCode, retry_after: Option<SignedDuration>, body: &[u8]) -> Self {
        // A gateway before the API has error codes of its own. Where the status proves nothing, only Meta's own
        // wrapper proves a refusal by Meta.
        let failure = if proves_nothing(status) { wrapped_failure(body) } else { failure(body) };
        let unknown = |code: &str, details: String| {
            let cause = format!("HTTP {}, code {code}", status.as_u16());
            Self::Unknown { cause, details: Some(details) }
        };
        if let Some(code) = maybe_sent(body) {
            return unknown(code, failure.details);
        }
        let class = match error_code::class(&failure.code) {
            Some(Class::Ambiguous) if proves_nothing(status) => None,
            Some(class) => Some(class),
            None => class_of_status(status),
        };
        let Some(class) = class else { return unknown(&failure.code, failure.details) };
        match error_code::action(&failure.code).unwrap_or_else(|| error_code::usual(class)) {
            Action::Fail => Self::Refused(failure),
            action => Self::NotAccepted { failure, action, retry_after },
        }
    }
}

/// Whether a message may have been processed before an answer with this status: a server error, a timeout, or a "See
/// Other" after processing.
fn proves_nothing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::SEE_OTHER)
}

/// Finds a code that may mean "sent" anywhere in an answer. A wrapper may put Meta's error into any field or text.
fn maybe_sent(body: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(body);
    let mut words = text.split(|character: char| !character.is_alphanumeric());
    words.find_map(|word| {
        let (code, class) = error_code::TABLE.iter().find(|(code, _)| *code == word)?;
        (*class == Class::MaybeSent).then_some(*code)
    })
}

/// Returns a failure without a code of the provider.
fn no_code(details: String) -> Failure {
    Failure { code: NO_CODE.to_owned(), details, trace_id: None }
}

/// Returns the class of a status, used when the code has none. A gateway before the API refuses tokens and rates.
/// Other 4xx statuses fail the message, and everything else is unknown.
fn class_of_status(status: StatusCode) -> Option<Class> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(Class::Account),
        StatusCode::TOO_MANY_REQUESTS => Some(Class::Rate),
        status if proves_nothing(status) => None,
        // Redirects other than 303 prove that the request was not processed.
        status if status.is_redirection() => Some(Class::Account),
        status if status.is_client_error() => Some(Class::Message),
        _ => None,
    }
}

/// Parses the failure in an error body. Providers wrap Meta's errors in different ways, so any field may be absent or
/// have another type.
pub(crate) fn failure(body: &[u8]) -> Failure {
    let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    failure_of(document.get("error").unwrap_or(&document))
}

/// Parses the failure in Meta's own wrapper. Without the wrapper it has no code.
fn wrapped_failure(body: &[u8]) -> Failure {
    let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    failure_of(document.get("error").unwrap_or(&Value::Null))
}

fn failure_of(error: &Value) -> Failure {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let data = error.get("error_data");
    let details = text(data.and_then(|data| data.get("details")))
        .or_else(|| text(data))
        .or_else(|| text(error.get("message")))
        .unwrap_or_else(|| "the answer is no error of the Cloud API".to_owned());
    let short = |text: String, chars_max: usize| text.chars().take(chars_max).collect::<String>();
    Failure {
        code: text(error.get("code")).map_or_else(|| NO_CODE.to_owned(), |code| short(code, CODE_CHARS_MAX)),
        details: short(details, DETAILS_CHARS_MAX),
        trace_id: text(error.get("fbtrace_id")).map(|id| short(id, TRACE_ID_CHARS_MAX)),
    }
}

#[cfg(test)]
mod tests {
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
    fn a_listed_code_decides_whatever_the_status() {
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
    fn details_are_found_where_providers_put_them() {
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
}
