//! Errors in the format of the Graph API: one code, one HTTP status, one body.

use serde_json::{Value, json};

/// A refusal by the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    /// HTTP status of the answer.
    pub(crate) status: u16,
    /// The error code that callers evaluate.
    pub(crate) code: i64,
    /// The exact problem, for `error_data.details`.
    pub(crate) details: Option<String>,
    kind: &'static str,
    title: String,
    subcode: Option<i64>,
}

impl GraphError {
    /// Creates the error for `code` with its usual status and title.
    pub(crate) fn new(code: i64, details: impl Into<String>) -> Self {
        let (status, title) = known(code);
        Self {
            status,
            code,
            details: Some(details.into()),
            kind: "OAuthException",
            title: format!("(#{code}) {title}"),
            subcode: None,
        }
    }

    /// Creates an ordered error: any code with any status.
    pub(crate) fn ordered(status: Option<u16>, code: i64, details: Option<String>) -> Self {
        let (usual, title) = known(code);
        Self {
            status: status.unwrap_or(usual),
            code,
            details,
            kind: "OAuthException",
            title: format!("(#{code}) {title}"),
            subcode: None,
        }
    }

    /// Creates the error for a missing or invalid token.
    pub(crate) fn token(reason: &str) -> Self {
        Self { details: None, title: format!("(#190) {reason}"), ..Self::new(190, "") }
    }

    /// Creates the error for an object id that this account does not have.
    pub(crate) fn unknown_object(id: &str) -> Self {
        Self {
            details: None,
            kind: "GraphMethodException",
            title: format!("(#100) Object with ID '{id}' does not exist or cannot be used with this token"),
            subcode: Some(33),
            ..Self::new(100, "")
        }
    }

    /// Returns the refusal as one line of readable text.
    pub(crate) fn reason(self) -> String {
        self.details.unwrap_or(self.title)
    }

    /// Returns the JSON body of the answer. `trace` is the id that a support request would quote.
    pub(crate) fn body(&self, trace: &str) -> Value {
        let mut error = json!({
            "message": self.title,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": trace,
        });
        if let Some(fields) = error.as_object_mut() {
            if let Some(details) = &self.details {
                fields.insert("error_data".into(), json!({"messaging_product": "whatsapp", "details": details}));
            }
            if let Some(subcode) = self.subcode {
                fields.insert("error_subcode".into(), subcode.into());
            }
        }
        json!({ "error": error })
    }
}

/// Returns a code's short description, as contained in a failed status.
pub(crate) fn title(code: i64) -> &'static str {
    known(code).1
}

/// Returns the HTTP status and title of a code.
fn known(code: i64) -> (u16, &'static str) {
    match code {
        0 => (401, "Authentication failed"),
        1 => (400, "Unknown API error"),
        2 => (503, "Service temporarily down"),
        3 => (500, "Capability missing"),
        4 => (429, "Too many calls by this app"),
        10 | 200..=299 => (403, "Permission denied"),
        33 => (400, "Object does not exist"),
        100 => (400, "Invalid parameter"),
        190 => (401, "Access token not valid"),
        368 => (403, "Blocked for policy reasons"),
        2500 => (400, "Unknown path"),
        80007 | 80008 => (429, "Too many calls on this account"),
        130429 => (429, "Rate limit of the number reached"),
        131000 => (500, "Something went wrong"),
        131005 | 131031 => (403, "Access denied"),
        131008 => (400, "Required parameter is missing"),
        131009 => (400, "Parameter value is not valid"),
        131016 => (500, "Service unavailable"),
        131021 => (400, "Recipient cannot be the sender"),
        131026 => (400, "Message undeliverable"),
        131042 => (400, "Payment problem with the account"),
        131045 => (500, "Number not registered correctly"),
        131048 => (429, "Spam rate limit reached"),
        131049 => (400, "Not delivered to keep the ecosystem healthy"),
        131050 => (400, "Recipient stopped marketing messages"),
        131051 => (400, "Message type not supported"),
        131056 => (429, "Rate limit of this pair of numbers reached"),
        131057 => (500, "Account in maintenance"),
        132000 => (400, "Number of parameters does not match"),
        132001 => (404, "Template does not exist in this language"),
        132005 => (400, "Text too long once filled in"),
        132007 => (400, "Template breaks a character policy"),
        132008 | 132012 => (400, "Parameter format does not match"),
        132015 => (400, "Template is paused"),
        132016 => (400, "Template is disabled"),
        132018 => (400, "Template parameter breaks a text rule"),
        133004 => (503, "Server temporarily unavailable"),
        _ => (400, "Request refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_shape_of_the_platform() {
        let body = GraphError::new(132000, "body: 1 instead of 2").body("Atrace");
        assert_eq!(
            body,
            json!({"error": {
                "message": "(#132000) Number of parameters does not match",
                "type": "OAuthException",
                "code": 132000,
                "error_data": {"messaging_product": "whatsapp", "details": "body: 1 instead of 2"},
                "fbtrace_id": "Atrace",
            }})
        );
    }

    #[test]
    fn an_unknown_object_is_code_100_with_subcode_33() {
        let body = GraphError::unknown_object("42").body("A");
        assert_eq!(body["error"]["code"], 100);
        assert_eq!(body["error"]["error_subcode"], 33);
        assert_eq!(body["error"]["type"], "GraphMethodException");
    }

    #[test]
    fn an_ordered_error_may_have_any_status() {
        let error = GraphError::ordered(Some(500), 131026, None);
        assert_eq!((error.status, error.code), (500, 131026));
        assert!(error.body("A")["error"].get("error_data").is_none());
        assert_eq!(GraphError::ordered(None, 131056, None).status, 429);
    }
}
