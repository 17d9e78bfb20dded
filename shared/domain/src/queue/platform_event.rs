//! The contract of the statuses queue: what WA Smart Business reported, one notice a record. Versioned, so that it can
//! grow. Readers are deployed before writers.
//!
//! A notice holds what a webhook said and nothing that was looked up: whether a status has a message, or a number a
//! suppression, is decided where it is read. Repeating a notice changes nothing.

mod queued;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::state::{Failure, Status};
use crate::primitives::id::SiteId;

pub use queued::Queued;

/// What a record of the statuses queue says; [`Queued`] is the record as a whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", deny_unknown_fields)]
pub enum PlatformEvent {
    /// What became of a message.
    #[serde(rename = "status.1")]
    Status {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the sender number.
        phone_number_id: String,
        /// Meta's id of the message, the wamid. It has the recipient's number in it, so it is not logged.
        provider_id: String,
        /// What we sent along as `biz_opaque_callback_data`: our id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The status.
        status: Status,
        /// When it happened, by Meta's clock.
        at: Timestamp,
        /// Why it failed; always there with [`Status::Failed`], never otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// The category Meta bills, in lower case with underscores, where it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// The recipient's number as WhatsApp has it, in digits, which may differ from the one we sent to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wa_id: Option<String>,
        /// The recipient's business-scoped user id: an alias by which a later opt-out may come without a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    /// Somebody wrote a word that stops or lifts the stop. No other text ever gets this far.
    #[serde(rename = "word.1")]
    Word {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the number that was written to.
        phone_number_id: String,
        /// Who wrote: a number in digits, or a business-scoped user id where Meta tells no number.
        from: String,
        /// When, by Meta's clock.
        at: Timestamp,
        /// What it asks for.
        word: Word,
    },
    /// Somebody used WhatsApp's own control for offers and announcements.
    #[serde(rename = "preference.1")]
    Preference {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the number it is about.
        phone_number_id: String,
        /// Whose choice it is, as in [`PlatformEvent::Word`].
        from: String,
        /// When, by Meta's clock.
        at: Timestamp,
        /// The choice.
        value: Preference,
    },
    /// Something about a template changed at Meta.
    #[serde(rename = "template.1")]
    Template {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the WhatsApp Business Account that owns the template.
        waba_id: String,
        /// The template's name.
        name: String,
        /// Its language as the template list writes it, `en_US`.
        language: String,
        /// What changed.
        change: Change,
    },
    /// Something about the account or its numbers changed at Meta.
    #[serde(rename = "account.1")]
    Account {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the WhatsApp Business Account, if it is about one of the site's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waba_id: Option<String>,
        /// Meta's id of the number, if it is about one of the site's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_number_id: Option<String>,
        /// Meta's word for it, `ACCOUNT_RESTRICTION`.
        event: String,
        /// What Meta says of it, for a person to read: the start of its JSON.
        details: String,
        /// Whether nothing can be sent any more.
        stops: bool,
        /// Whether what stopped the account is over, so that it is worth a try at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lifts: bool,
        /// When Meta raised it; absent in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// When the restriction ends by itself, where Meta says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person changed their number.
    #[serde(rename = "number.1")]
    NumberChanged {
        /// The site whose webhook it came through.
        site: SiteId,
        /// Meta's id of the number that was told.
        phone_number_id: String,
        /// The number until now, as in [`PlatformEvent::Word`].
        from: String,
        /// The number from now on.
        to: String,
    },
}

/// What an inbound word asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Send me nothing.
    Stop,
    /// You may send again.
    Start,
}

/// A choice in WhatsApp's control for offers and announcements; it is about marketing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// No offers any more.
    Stop,
    /// Offers again.
    Resume,
}

/// What changed of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Its status: approved, rejected, paused, disabled and the like.
    Status {
        /// Meta's word, `PAUSED`.
        event: String,
        /// Why, where Meta says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Its category, which decides the price and whose consent is needed.
    Category {
        /// The category from now on, `MARKETING`.
        category: String,
    },
    /// What people think of it.
    Quality {
        /// Meta's word, `GREEN`.
        score: String,
    },
    /// Its text or its buttons.
    Components,
}

impl PlatformEvent {
    /// The site whose webhook it came through.
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

/// Shows no personal data: who it is about stays out, and so does the wamid, which has a number in it.
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

    /// Every kind of notice as it stands in the queue.
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
    fn what_we_did_not_write_is_refused() {
        let unknown_field = RECORDS[9].replace(r#""to""#, r#""towards":"x","to""#);
        for text in ["", "{}", r#"{"notice":"status.9"}"#, r#"{"notice":"word.1","site":"demo"}"#, &unknown_field] {
            assert!(serde_json::from_str::<PlatformEvent>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_log_shows_nobody() {
        for text in RECORDS {
            let shown = format!("{:?}", serde_json::from_str::<PlatformEvent>(text).unwrap());
            assert!(!["39340", "wamid", "IT.a1", "undeliverable"].iter().any(|part| shown.contains(part)), "{shown}");
        }
    }
}
