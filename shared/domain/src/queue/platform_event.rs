//! The contract of the statuses queue: the platform events of WA Smart Business, one per record. It is versioned, so
//! that it can grow. Readers are deployed before writers.
//!
//! A record contains only data of the webhook, never the result of a lookup. Whether a status has a message, or a
//! number a suppression, is decided by the reader. A repeated record changes nothing.

mod queued;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::state::{Failure, Status};
use crate::primitives::id::SiteId;

pub use queued::Queued;

/// A platform event in a record of the statuses queue; [`Queued`] is the whole record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", deny_unknown_fields)]
pub enum PlatformEvent {
    /// A status of a message.
    #[serde(rename = "status.1")]
    Status {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the sender number.
        phone_number_id: String,
        /// Meta's id of the message, the wamid. It contains the recipient's number, so it is not logged.
        provider_id: String,
        /// The `biz_opaque_callback_data` of the send: the bridge's message id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The status.
        status: Status,
        /// When it happened, by Meta's clock.
        at: Timestamp,
        /// The failure; always present with [`Status::Failed`], never otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// The category that Meta bills, in lower case with underscores, if Meta reports it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// The recipient's number in WhatsApp, in digits. It may differ from the number of the send.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wa_id: Option<String>,
        /// The recipient's business-scoped user id. A later opt-out may contain this alias instead of a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    /// An inbound word that stops messages or lifts the stop. No other inbound text reaches the queue.
    #[serde(rename = "word.1")]
    Word {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the number that received the word.
        phone_number_id: String,
        /// The sender: a number in digits, or a business-scoped user id if Meta reports no number.
        from: String,
        /// When it was sent, by Meta's clock.
        at: Timestamp,
        /// The request.
        word: Word,
    },
    /// A choice in WhatsApp's own control for offers and announcements.
    #[serde(rename = "preference.1")]
    Preference {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the number that the choice applies to.
        phone_number_id: String,
        /// The person who chose, in the form of [`PlatformEvent::Word`].
        from: String,
        /// When it was chosen, by Meta's clock.
        at: Timestamp,
        /// The choice.
        value: Preference,
    },
    /// A change of a template at Meta.
    #[serde(rename = "template.1")]
    Template {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the WhatsApp Business Account that owns the template.
        waba_id: String,
        /// The template's name.
        name: String,
        /// The template's language in the notation of the template list, `en_US`.
        language: String,
        /// The change.
        change: Change,
    },
    /// A change of the account or its numbers at Meta.
    #[serde(rename = "account.1")]
    Account {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the WhatsApp Business Account, if the change concerns one of the site's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waba_id: Option<String>,
        /// Meta's id of the number, if the change concerns one of the site's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_number_id: Option<String>,
        /// Meta's name of the event, such as `ACCOUNT_RESTRICTION`.
        event: String,
        /// Meta's details, for operators: the start of its JSON.
        details: String,
        /// Whether the account can no longer send.
        stops: bool,
        /// Whether a stop of the account is over, so that a send is worth an immediate attempt.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lifts: bool,
        /// When Meta raised it; absent in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// When the restriction ends by itself, if Meta reports it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person's change of number.
    #[serde(rename = "number.1")]
    NumberChanged {
        /// The site of the webhook.
        site: SiteId,
        /// Meta's id of the number that received the change.
        phone_number_id: String,
        /// The old number, in the form of [`PlatformEvent::Word`].
        from: String,
        /// The new number.
        to: String,
    },
}

/// The request of an inbound word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Stop all messages.
    Stop,
    /// Lift the stop.
    Start,
}

/// A choice in WhatsApp's control for offers and announcements; it applies to marketing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// Stop offers.
    Stop,
    /// Resume offers.
    Resume,
}

/// A change of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Its status: approved, rejected, paused, disabled and others.
    Status {
        /// Meta's name of the status, such as `PAUSED`.
        event: String,
        /// The reason, if Meta reports one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Its category, which determines the price and whether consent is required.
    Category {
        /// The new category, such as `MARKETING`.
        category: String,
    },
    /// Its quality, from the feedback of recipients.
    Quality {
        /// Meta's score, such as `GREEN`.
        score: String,
    },
    /// Its text or its buttons.
    Components,
}

impl PlatformEvent {
    /// Returns the site of the webhook.
    #[must_use]
    pub fn site(&self) -> &SiteId {
        match self {
            Self::Status { site, .. }
            | Self::Word { site, .. }
            | Self::Preference { site, .. }
            | Self::Template { site, .. }
            | Self::Account { site, .. }
            | Self::NumberChanged { site, .. } => site,
        }
    }
}

/// Omits personal data: the person concerned, and the wamid, which contains a phone number.
impl fmt::Debug for PlatformEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { site, message, status, at, failure, .. } => f
                .debug_struct("Status")
                .field("site", site)
                .field("message", message)
                .field("status", status)
                .field("at", at)
                .field("code", &failure.as_ref().map(|failure| &failure.code))
                .finish_non_exhaustive(),
            Self::Word { site, at, word, .. } => {
                f.debug_struct("Word").field("site", site).field("at", at).field("word", word).finish_non_exhaustive()
            }
            Self::Preference { site, at, value, .. } => f
                .debug_struct("Preference")
                .field("site", site)
                .field("at", at)
                .field("value", value)
                .finish_non_exhaustive(),
            Self::Template { site, waba_id, name, language, change } => f
                .debug_struct("Template")
                .field("site", site)
                .field("waba_id", waba_id)
                .field("name", name)
                .field("language", language)
                .field("change", change)
                .finish(),
            Self::Account { site, waba_id, phone_number_id, event, stops, lifts, at, .. } => f
                .debug_struct("Account")
                .field("site", site)
                .field("waba_id", waba_id)
                .field("phone_number_id", phone_number_id)
                .field("event", event)
                .field("stops", stops)
                .field("lifts", lifts)
                .field("at", at)
                .finish_non_exhaustive(),
            Self::NumberChanged { site, phone_number_id, .. } => f
                .debug_struct("NumberChanged")
                .field("site", site)
                .field("phone_number_id", phone_number_id)
                .finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of record, as it appears in the queue.
    const RECORDS: [&str; 10] = [
        r#"{"notice":"status.1","site":"demo","phone_number_id":"1","provider_id":"wamid.A","status":"sent","at":"2026-11-22T09:15:00Z"}"#,
        r#"{"notice":"status.1","site":"demo","phone_number_id":"1","provider_id":"wamid.A","message":"e/m","status":"failed","at":"2026-11-22T09:15:00Z","failure":{"code":"131026","details":"Message undeliverable"},"category":"utility","wa_id":"393401234567","user_id":"IT.a1"}"#,
        r#"{"notice":"word.1","site":"demo","phone_number_id":"1","from":"393401234567","at":"2026-11-22T09:15:00Z","word":"stop"}"#,
        r#"{"notice":"preference.1","site":"demo","phone_number_id":"1","from":"393401234567","at":"2026-11-22T09:15:00Z","value":"resume"}"#,
        r#"{"notice":"template.1","site":"demo","waba_id":"2","name":"order","language":"en_US","change":{"status":{"event":"PAUSED"}}}"#,
        r#"{"notice":"template.1","site":"demo","waba_id":"2","name":"order","language":"it","change":{"category":{"category":"MARKETING"}}}"#,
        r#"{"notice":"template.1","site":"demo","waba_id":"2","name":"order","language":"it","change":"components"}"#,
        r#"{"notice":"account.1","site":"demo","waba_id":"2","event":"ACCOUNT_DELETED","details":"{}","stops":true}"#,
        r#"{"notice":"account.1","site":"demo","waba_id":"2","event":"DISABLED_UPDATE","details":"{}","stops":false,"lifts":true,"at":"2026-11-22T09:15:00Z","until":"2026-11-29T09:15:00Z"}"#,
        r#"{"notice":"number.1","site":"demo","phone_number_id":"1","from":"393401234567","to":"393407654321"}"#,
    ];

    #[test]
    fn the_queue_contract_only_grows() {
        for text in RECORDS {
            let platform_event: PlatformEvent = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&platform_event).unwrap(), text);
            assert_eq!(platform_event.site().as_str(), "demo");
        }
    }

    #[test]
    fn an_unknown_or_incomplete_record_is_refused() {
        let unknown_field = RECORDS[9].replace(r#""to""#, r#""towards":"x","to""#);
        for text in ["", "{}", r#"{"notice":"status.9"}"#, r#"{"notice":"word.1","site":"demo"}"#, &unknown_field] {
            assert!(serde_json::from_str::<PlatformEvent>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_of_a_platform_event_shows_no_personal_data() {
        for text in RECORDS {
            let shown = format!("{:?}", serde_json::from_str::<PlatformEvent>(text).unwrap());
            assert!(!["39340", "wamid", "IT.a1", "undeliverable"].iter().any(|part| shown.contains(part)), "{shown}");
        }
    }
}
