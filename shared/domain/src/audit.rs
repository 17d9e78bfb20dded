//! The audit: counts events and messages by outcome, and lists the unaccounted messages (promise 1).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::decision::plan::Plan;
use crate::mapping::{Mapping, UsefulFor};
use crate::message::state::{Facts, State, WaitReason};
use crate::primitives::id::MappingId;
use crate::primitives::key::MessageId;
use crate::site::config::LiveConfig;

/// Grace period after a message stops being useful, or after its wait ends. A message that is not final is unaccounted
/// after it.
const GRACE: SignedDuration = SignedDuration::from_mins(15);
/// The outcomes of the counted events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Number of events.
    pub events: usize,
    /// Number of messages in their plans.
    pub messages: usize,
    /// Number of messages by the name of their state.
    pub by_outcome: BTreeMap<String, usize>,
    /// Number of skips in the plans, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// The unaccounted messages.
    pub unaccounted: Vec<MessageId>,
}

/// The input of the audit about one message.
#[derive(Clone, Copy, Debug)]
pub struct Audited<'a> {
    /// The message's id.
    pub id: &'a MessageId,
    /// The mapping that sends it.
    pub mapping: &'a MappingId,
    /// The recorded facts of the message.
    pub facts: &'a Facts,
}

impl Audit {
    /// Counts an event with the messages of its plan.
    pub fn add<'a>(
        &mut self,
        occurred_at: Timestamp,
        plan: &Plan,
        messages: impl IntoIterator<Item = Audited<'a>>,
        config: &LiveConfig,
        now: Timestamp,
    ) {
        self.events += 1;
        for planned in &plan.skips {
            *self.left_out.entry(planned.skip.reason.to_string()).or_default() += 1;
        }
        for message in messages {
            self.messages += 1;
            *self.by_outcome.entry(message.facts.state().to_string()).or_default() += 1;
            if message.is_unaccounted(occurred_at, config, now) {
                self.unaccounted.push(message.id.clone());
            }
        }
    }
}

impl Audited<'_> {
    /// Whether the message is unaccounted: it is not final, stopped being useful too long ago, and its wait is over.
    #[must_use]
    pub fn is_unaccounted(&self, occurred_at: Timestamp, config: &LiveConfig, now: Timestamp) -> bool {
        let state = self.facts.state();
        let mapping = config.mappings.iter().find(|mapping| mapping.id == *self.mapping);
        // A deleted mapping may have allowed the longest usefulness.
        let useful_for = mapping.map_or(UsefulFor::MAX, Mapping::useful_for).duration();
        let (waits, due_at) = match &state {
            State::Waiting(waiting) => {
                let of_cart = (waiting.why == WaitReason::CartInterval).then_some(waiting.until);
                (now.duration_since(waiting.until) <= GRACE, of_cart)
            }
            _ => (false, None),
        };
        // A cart notice is useful from its due time. A recent claim means that the message is being sent now, for
        // example after a resend request.
        let since = due_at.max(self.facts.claim.as_ref().map(|claim| claim.at)).max(Some(occurred_at));
        !state.is_final() && !waits && since.is_some_and(|since| now.duration_since(since) > useful_for + GRACE)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::decision::plan::PlannedSkip;
    use crate::message::reason::{Reason, Skip};
    use crate::message::state::{Answer, Claim, Waiting};
    use crate::primitives::id::{ObjectId, SiteId};
    use crate::primitives::key::message_key;
    use crate::site::config::Site;

    fn at(hour: u8, minute: u8) -> Timestamp {
        format!("2026-11-22T{hour:02}:{minute:02}:00Z").parse().unwrap()
    }

    /// Returns a site with one mapping, whose messages are useful for an hour.
    fn config() -> LiveConfig {
        let mapping = json!({
            "id": "ordini", "name": "Ordini", "event_type": "order.status_changed", "enabled": true,
            "active_since": "2020-01-01T00:00:00Z", "templates": {}, "useful_for": "1h",
        });
        LiveConfig {
            site: Site::new(SiteId::parse("demo").unwrap()),
            accounts: Vec::new(),
            mappings: vec![serde_json::from_value(mapping).unwrap()],
            templates: Vec::new(),
            holds: Vec::new(),
        }
    }

    fn audited(mapping: &str, facts: &Facts, now: Timestamp) -> Audit {
        let mapping = MappingId::parse(mapping).unwrap();
        let message = message_key(&mapping, &ObjectId::parse("C7").unwrap(), 1);
        let id = MessageId { event: "0".to_owned(), message };
        let skip = PlannedSkip { mapping: None, recipient: None, skip: Skip::from(Reason::SamePhone) };
        let plan = Plan { messages: Vec::new(), skips: vec![skip] };
        let mut audit = Audit::default();
        audit.add(at(10, 0), &plan, [Audited { id: &id, mapping: &mapping, facts }], &config(), now);
        audit
    }

    fn waiting_until(until: Timestamp) -> Facts {
        Facts { waiting: Some(Waiting { until, why: WaitReason::Pace, detail: String::new() }), ..Facts::default() }
    }

    #[test]
    fn every_event_message_and_skip_is_counted() {
        let audit = audited("ordini", &Facts::default(), at(10, 0));
        assert_eq!((audit.events, audit.messages), (1, 1));
        assert_eq!(audit.by_outcome, BTreeMap::from([("pending".to_owned(), 1)]));
        assert_eq!(audit.left_out, BTreeMap::from([("same_phone".to_owned(), 1)]));
    }

    #[test]
    fn only_messages_open_too_long_are_unaccounted() {
        let claim = Some(Claim { owner: "o".to_owned(), at: at(10, 0), attempt: 1 });
        let answer = Some(Answer::Unknown { at: at(10, 0), cause: String::new(), details: None });
        let sending = Facts { claim: claim.clone(), ..Facts::default() };
        let of_cart = |until| {
            let waiting = Waiting { until, why: WaitReason::CartInterval, detail: String::new() };
            Facts { waiting: Some(waiting), ..Facts::default() }
        };
        let claimed_late =
            Facts { claim: Some(Claim { owner: "o".to_owned(), at: at(13, 0), attempt: 1 }), ..Facts::default() };
        let skipped = Facts { skipped: Some(Reason::Expired.into()), ..Facts::default() };
        let table = [
            ("ordini", Facts::default(), at(11, 15), 0),
            ("ordini", Facts::default(), at(11, 16), 1),
            ("ordini", sending, at(11, 16), 1),
            ("ordini", skipped, at(11, 16), 0),
            ("ordini", Facts { claim, answer, ..Facts::default() }, at(11, 16), 0),
            ("ordini", waiting_until(at(11, 30)), at(11, 45), 0),
            ("ordini", waiting_until(at(11, 30)), at(11, 46), 1),
            ("ordini", waiting_until(at(10, 5)), at(11, 15), 0),
            // Usefulness counts from the due time of a cart notice, and from the claim of a message that is being sent.
            ("ordini", of_cart(at(13, 0)), at(14, 15), 0),
            ("ordini", of_cart(at(13, 0)), at(14, 16), 1),
            ("ordini", claimed_late.clone(), at(13, 5), 0),
            ("ordini", claimed_late, at(14, 16), 1),
            // The usefulness of a deleted mapping's message is no longer known.
            ("gone", Facts::default(), at(11, 16), 0),
            ("gone", Facts::default(), at(10, 16) + SignedDuration::from_hours(7 * 24), 1),
        ];
        for (mapping, facts, now, unaccounted) in table {
            assert_eq!(audited(mapping, &facts, now).unaccounted.len(), unaccounted, "{mapping} {now} {facts:?}");
        }
    }
}
