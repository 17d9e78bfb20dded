//! Outcomes of calls that were not accepted, according to the state of the message after the call.

use domain::message::error_code::{self, Action, Class};
use domain::message::state::Failure;
use domain::primitives::cause::{Cause, chain};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::Value;

/// The provider's settings are unusable. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    Client(#[source] Cause),
    /// The account's base URL must not be called.
    #[error("the account's base URL cannot be used: {0}")]
    BaseUrl(&'static str),
    /// The account's base URL has another host than the token is for.
    #[error("the account's base URL is not at the host that its token is stored for")]
    Host,
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
    #[error("the template list could not be reached")]
    Unreachable(#[source] Cause),
    /// The provider refused the request.
    #[error("the template list was refused with code {}: {}", .0.code, .0.details)]
    Refused(Failure),
    /// The answer is not a template list.
    #[error("the template list is malformed")]
    Malformed(#[source] Cause),
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
mod tests;
