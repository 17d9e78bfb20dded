//! What a simulator is told when it starts: identity, token, clock and templates.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// Where the simulator reads the time. It is always given, so that a test can share and move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The account the simulator plays, and the templates it starts with.
pub struct Settings {
    /// Id of the sending number, expected in the path of a send.
    pub phone_number_id: String,
    /// Id of the WhatsApp Business account, expected in the path of the template list.
    pub waba_id: String,
    /// The bearer token that is accepted.
    pub access_token: String,
    /// The sending number in international form with `+`; its country code completes a `to` without one.
    pub display_phone_number: String,
    /// The clock behind `received_at` and the limits.
    pub clock: Clock,
    /// Template rows as the Graph API lists them. `name` and `language` are required; `id`, `status`
    /// (`APPROVED`) and `category` (`UTILITY`) are filled in where they are missing.
    pub templates: Vec<Value>,
    /// Where statuses and inbound messages are posted; nothing is posted without it.
    pub webhook: Option<Webhook>,
}

/// Where the platform sends what happens, as set in the app's dashboard.
#[derive(Clone)]
pub struct Webhook {
    /// An `http` address: the simulator speaks no TLS. What cannot be reached is tried again, then dropped.
    pub url: String,
    /// The app secret, key of the signature over each body.
    pub secret: String,
}

/// A seeded template row that cannot be used: the caller has to correct its seeds.
#[derive(Debug, thiserror::Error)]
#[error("seeded template {index}: {reason}")]
pub struct SeedRefused {
    /// Position in [`Settings::templates`], from 0.
    pub index: usize,
    /// What is wrong with the row.
    pub reason: String,
}
