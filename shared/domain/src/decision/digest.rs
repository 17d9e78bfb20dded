//! Digest messages for files: one message covers the files that one actor touched in one folder during `hold_for`.
//!
//! The first message for a folder, actor and recipient becomes the digest message. Later messages join it while it
//! waits. A joined message ends as the digest message does. If the digest message was skipped for a reason of its own,
//! a joined message is decided by itself.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::guards::already_notified;
use crate::event::Event;
use crate::mapping::{Mapping, Repeat};
use crate::message::file_list::{Files, Named};
use crate::message::reason::{BY_OPERATOR, Reason, Skip};
use crate::message::state::{Facts, State};
use crate::primitives::id::{MappingId, ObjectId, SiteId};
use crate::primitives::key::{MessageId, collection_key, dedup_key};

/// Time within which the sweep sends a due item.
const SWEPT_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// The files collected for a digest message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// The digest message.
    #[serde(rename = "carrier")]
    pub digest: MessageId,
    /// When the digest message is sent, unless something else makes it wait.
    pub until: Timestamp,
    /// The files.
    pub files: Files,
}

/// Returns the key of the collection that a message's file belongs to; `None` on other events.
#[must_use]
pub fn collected_in(site: &SiteId, mapping: &MappingId, event: &Event, recipient: &ObjectId) -> Option<String> {
    let action = event.file_action()?;
    let (mapping, actor, recipient) = (mapping.as_str(), action.actor.id.as_str(), recipient.as_str());
    Some(collection_key(site, [mapping, &action.file.folder, actor, recipient]))
}

/// Returns when the digest message of a folder is due, unless something else makes it wait.
///
/// The hold counts from `now`, because the digest message covers the files that arrive afterwards. The result leaves
/// the sweep enough time to send the message while it is useful. `None` if the mapping has no `hold_for`.
#[must_use]
pub fn collected_until(mapping: &Mapping, event: &Event, now: Timestamp) -> Option<Timestamp> {
    let until = now.saturating_add(mapping.hold_for?.duration()).unwrap_or(now);
    let in_time = mapping.useful_until(event).saturating_sub(SWEPT_WITHIN).unwrap_or(now);
    Some(until.min(in_time))
}

/// Returns the dedup keys of the other named files.
///
/// Empty unless the mapping notifies once per actor.
#[must_use]
pub fn dedup_keys(site: &SiteId, mapping: &Mapping, event: &Event, recipient: &ObjectId, files: &Files) -> Vec<String> {
    let Some(action) = event.file_action().filter(|_| mapping.repeat() == Repeat::OncePerActor) else {
        return Vec::new();
    };
    let others = files.named.iter().filter(|named| named.id != action.file.id);
    let of_file = |named: &Named| {
        let subject = format!("file:{}", named.id);
        let names = [mapping.id.as_str(), &subject, recipient.as_str()];
        dedup_key(site, names, "actor", action.actor.id.as_str())
    };
    others.map(of_file).collect()
}

/// Whether the digest message was skipped for a reason of its own, so that its members are decided by themselves.
///
/// If an operator cancelled the digest message, its members are cancelled too.
#[must_use]
pub fn releases_members(digest: &Facts) -> bool {
    match digest.state() {
        State::Skipped(skip) => (skip.reason, skip.detail.as_str()) != (Reason::Cancelled, BY_OPERATOR),
        _ => false,
    }
}

/// Returns why a joined message is not sent itself; `None` while the digest message is still open.
#[must_use]
pub fn fate(digest: &MessageId, facts: &Facts) -> Option<Skip> {
    match facts.state() {
        State::Pending | State::Waiting(_) | State::Sending => None,
        State::Skipped(skip) => Some(Skip::new(skip.reason, digest.to_string())),
        // A failed digest message also counts for this file, because it is not resent automatically.
        _ => Some(already_notified(&digest.to_string(), Some(facts))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_ends_like_its_digest_or_is_decided_on_its_own() {
        use crate::message::state::{Answer, Failure};
        let digest = MessageId { event: "e".to_owned(), message: "m".to_owned() };
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let skipped = |reason, detail: &str| Facts { skipped: Some(Skip::new(reason, detail)), ..Facts::default() };
        let answered = |answer| Facts { answer: Some(answer), ..Facts::default() };
        let failure = Failure { code: "132000".to_owned(), details: String::new(), trace_id: None };
        let mut seen = Vec::new();
        for facts in [
            Facts::default(),
            skipped(Reason::Expired, "t"),
            skipped(Reason::Cancelled, ""),
            skipped(Reason::Cancelled, BY_OPERATOR),
            answered(Answer::Accepted { at, provider_id: "w".to_owned(), note: None }),
            answered(Answer::Refused { at, failure }),
            answered(Answer::Unknown { at, cause: "cut".to_owned(), details: None }),
        ] {
            let fate = fate(&digest, &facts).map(|skip| format!("{} {}", skip.reason, skip.detail));
            seen.push(match releases_members(&facts) {
                true => "by itself".to_owned(),
                false => fate.unwrap_or_else(|| "waits".to_owned()),
            });
        }
        let expected = [
            "waits",
            "by itself",
            "by itself",
            "cancelled e.m",
            "already_notified e.m",
            "already_notified e.m, failed",
            "already_notified e.m, unknown",
        ];
        assert_eq!(seen, expected);
    }
}
