//! One POST: the body as the platform writes it, its signature, and whether the receiver accepted it.

use std::{fmt::Write as _, time::Duration};

use axum::body::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use sha2::Sha256;

use crate::settings::Webhook;

/// How long the receiver may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// The pause before the second attempt. It doubles with each further attempt.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The number of attempts before a webhook is dropped.
pub(super) const TRIES: u32 = 20;

/// The receiver of the webhooks.
pub(super) struct Receiver {
    webhook: Webhook,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Receiver {
    /// Creates the receiver for this webhook.
    pub(super) fn new(webhook: Webhook) -> Self {
        Self { webhook, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Posts a body once. Only status 200 counts as accepted.
    pub(super) async fn post(&self, body: &Bytes) -> bool {
        let request = Request::post(&self.webhook.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("X-Hub-Signature-256", signature(&self.webhook.secret, body))
            .body(Full::new(body.clone()));
        let Ok(request) = request else { return false };
        let exchange = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // The body is read to its end, so that the connection can be reused.
            response.into_body().collect().await.ok()?;
            Some(status)
        };
        matches!(tokio::time::timeout(ANSWER_LIMIT, exchange).await, Ok(Some(StatusCode::OK)))
    }
}

/// Returns the pause before attempt `number`, which starts at 2.
pub(super) fn pause(number: u32) -> Duration {
    let factor = 1_u32.checked_shl(number.saturating_sub(2)).unwrap_or(u32::MAX);
    PAUSE_FIRST.saturating_mul(factor).min(PAUSE_MAX)
}

/// Serializes the JSON with every non-ASCII character as `\uXXXX`. The platform signs this form. A signature over
/// parsed and re-serialized JSON therefore differs.
pub(super) fn escaped(body: &Value) -> Bytes {
    let mut escaped = String::new();
    for character in body.to_string().chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped.into()
}

fn signature(secret: &str, body: &[u8]) -> String {
    // HMAC accepts keys of any length, so this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_signature_matches_the_platforms() {
        let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
        assert_eq!(
            signature("test_app_secret", body),
            "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
        );
    }

    #[test]
    fn non_ascii_characters_are_escaped_without_changing_the_content() {
        let body = json!({"è": "città 🍋 \"\n"});
        let written = escaped(&body);
        assert_eq!(written, r#"{"\u00e8":"citt\u00e0 \ud83c\udf4b \"\n"}"#);
        assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), body);
    }

    #[test]
    fn pauses_grow_up_to_five_seconds() {
        let pauses: Vec<u128> = (2..=TRIES).map(|number| pause(number).as_millis()).collect();
        assert_eq!(pauses[..6], [200, 400, 800, 1_600, 3_200, 5_000]);
        assert!(pauses[6..].iter().all(|pause| *pause == 5_000));
    }
}
