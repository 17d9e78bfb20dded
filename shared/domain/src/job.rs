//! The contract of the events queue: versioned, so that it can grow. Readers are deployed before writers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::SiteId;

/// A record of the events queue.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", deny_unknown_fields)]
pub enum Job {
    /// An event that Passweb raised and `receive-event` accepted.
    #[serde(rename = "event.1")]
    Event {
        /// The site the credential named.
        site: SiteId,
        /// When it was accepted.
        received_at: Timestamp,
        /// The callback's document, as received.
        event: Value,
    },
}

/// Shows no personal data: the document stays out.
impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Event { site, received_at, .. } = self;
        f.debug_struct("Event").field("site", site).field("received_at", received_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_queue_contract_only_grows() {
        let job = Job::Event {
            site: SiteId::parse("demo").unwrap(),
            received_at: "2026-11-22T09:15:00Z".parse().unwrap(),
            event: json!({"id": "1", "data": {}}),
        };
        let text =
            r#"{"job":"event.1","site":"demo","received_at":"2026-11-22T09:15:00Z","event":{"data":{},"id":"1"}}"#;
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert_eq!(serde_json::from_str::<Job>(text).unwrap(), job);
    }

    #[test]
    fn what_we_did_not_write_is_refused() {
        for text in ["", "{}", r#"{"job":"event.9"}"#, r#"{"job":"event.1","site":"demo"}"#] {
            assert!(serde_json::from_str::<Job>(text).is_err(), "{text}");
        }
    }
}
