//! The settings of a simulator: identity, token, clock, templates and webhook.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// The source of the simulator's time. It is always required, so that a test can share and advance it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The account that is simulated, and its initial templates.
pub struct Settings {
    /// Id of the sending number, expected in the path of a send.
    pub phone_number_id: String,
    /// Id of the WhatsApp Business account, expected in the path of the template list.
    pub waba_id: String,
    /// The accepted bearer token.
    pub access_token: String,
    /// The sending number in international form with `+`. Its country code completes a `to` without one.
    pub display_phone_number: String,
    /// The clock for `received_at` and the limits.
    pub clock: Clock,
    /// Template rows as the Graph API lists them. `name`, `language` and `components` are required. Missing `id`,
    /// `status` (`APPROVED`) and `category` (`UTILITY`) are filled in.
    pub templates: Vec<Value>,
    /// The webhook for statuses and inbound messages. Without it nothing is posted.
    pub webhook: Option<Webhook>,
}

/// The platform's webhook target, as configured in the app's dashboard.
#[derive(Clone)]
pub struct Webhook {
    /// An `http` URL, because the simulator does not support TLS. Failed deliveries are retried, then dropped.
    pub url: String,
    /// The app secret: the key of the signature over each body.
    pub secret: String,
}

/// An unusable seeded template row. The caller must correct its seeds.
#[derive(Debug, thiserror::Error)]
#[error("seeded template {index}: {reason}")]
pub struct SeedRefused {
    /// Position in [`Settings::templates`], from 0.
    pub index: usize,
    /// The reason why the row is unusable.
    pub reason: String,
}
