//! The outcomes of an event, message by message, as JSON and as text.

use domain::audit::Audited;
use domain::event::Event;
use domain::message::reason::Reason;
use domain::message::state::{Answer, Resolved, State, Status, StatusFact, Waiting};
use domain::primitives::phone::{Country, Phone};
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};
use store::ledger::{StoredEvent, StoredMessage};
use texts::Texts;

use crate::output::{Output, table, wrapped};

/// The outcome of a message, or of a skip in the plan.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) mapping: Option<String>,
    pub(crate) recipient: Option<String>,
    /// The name of the state.
    pub(crate) outcome: String,
    /// The reason of a skip or wait, or the code of a failure.
    pub(crate) reason: Option<String>,
    /// The value that was decisive.
    pub(crate) detail: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) provider_id: Option<String>,
    /// The send number; absent for the first sending.
    #[serde(rename = "occasion", skip_serializing_if = "Option::is_none")]
    pub(crate) send_number: Option<u32>,
    /// The wait reason and the deadline, if the message waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waiting: Option<Waiting>,
    /// The statuses reported by the provider, in the order of the states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) statuses: Vec<Reported>,
    /// How an operator resolved an unknown outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resolved: Option<Resolved>,
    /// The phone number, masked unless full numbers were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    /// A possible problem of the message in spite of its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<Warning>,
    /// The text of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip)]
    sentence: Option<Reason>,
}

/// A possible problem of a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Warning {
    /// The number is a landline, which seldom has WhatsApp.
    Landline,
}

impl Warning {
    fn of(phone: &str) -> Option<Self> {
        Phone::parse(phone, Country::UNKNOWN).is_ok_and(|phone| phone.is_landline()).then_some(Self::Landline)
    }

    fn words(self, texts: &Texts) -> String {
        match self {
            Self::Landline => texts.landline(),
        }
    }
}

/// A status reported by the provider.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reported {
    status: Status,
    #[serde(flatten)]
    fact: StatusFact,
}

/// An event with its outcomes.
pub(crate) struct Explained {
    event: Value,
    occurred_at: Timestamp,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) unaccounted: usize,
    zone: TimeZone,
    /// The languages in the event in which WhatsApp has no templates.
    unknown_languages: Vec<String>,
}

/// Explains an event as recorded in the ledger.
pub(crate) fn explained(event: &StoredEvent, live: &LiveConfig, now: Timestamp, output: Output) -> Explained {
    let messages = event.messages.iter().map(|message| of_message(message, output));
    let skips = event.plan.skips.iter().map(|planned| Outcome {
        mapping: planned.mapping.as_ref().map(ToString::to_string),
        recipient: planned.recipient.as_ref().map(ToString::to_string),
        outcome: "skipped".to_owned(),
        reason: Some(planned.skip.reason.to_string()),
        detail: filled(&planned.skip.detail),
        message_id: None,
        provider_id: None,
        send_number: None,
        waiting: None,
        statuses: Vec::new(),
        resolved: None,
        phone: None,
        warning: None,
        text: None,
        sentence: Some(planned.skip.reason),
    });
    Explained {
        event: json!({
            "id": event.id, "type": event.event_type, "occurred_at": event.occurred_at,
            "received_at": event.received_at,
        }),
        occurred_at: event.occurred_at,
        outcomes: messages.chain(skips).collect(),
        unaccounted: {
            let messages = event.messages.iter().map(audited);
            messages.filter(|message| message.is_unaccounted(event.occurred_at, live, now)).count()
        },
        zone: live.site.zone(),
        unknown_languages: unknown_languages(event),
    }
}

fn unknown_languages(event: &StoredEvent) -> Vec<String> {
    let read = Event::parse_any(event.document.clone(), event.received_at);
    read.map(|event| event.unknown_languages().into_iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// Converts a message into the input of the audit.
pub(crate) fn audited(message: &StoredMessage) -> Audited<'_> {
    Audited { id: &message.id, mapping: &message.mapping, facts: &message.facts }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn of_message(message: &StoredMessage, output: Output) -> Outcome {
    let facts = &message.facts;
    let state = facts.state();
    let (mut reason, mut detail, mut sentence) = (None, None, None);
    match (&state, &facts.answer) {
        (State::Skipped(skip), _) => {
            reason = Some(skip.reason.to_string());
            detail = filled(&skip.detail);
            sentence = Some(skip.reason);
        }
        (State::Waiting(waiting), _) => {
            reason = Some(waiting.why.to_string());
            detail = filled(&waiting.detail);
        }
        (State::Failed(code), _) if facts.statuses.contains_key(&Status::Failed) => {
            reason = Some(code.clone());
            detail = facts.statuses.get(&Status::Failed).and_then(|fact| fact.details.clone());
        }
        (_, Some(Answer::Refused { failure, .. } | Answer::NotAccepted { failure, .. })) => {
            reason = Some(failure.code.clone());
            detail = filled(&failure.details);
        }
        (State::Failed(code), _) => reason = Some(code.clone()),
        (State::Unknown, Some(Answer::Unknown { cause, .. })) => detail = filled(cause),
        _ => {}
    }
    let provider_id = match &facts.answer {
        Some(Answer::Accepted { provider_id, .. }) => Some(provider_id.clone()),
        _ => None,
    };
    Outcome {
        mapping: Some(message.mapping.to_string()),
        recipient: Some(message.recipient.to_string()),
        outcome: state.to_string(),
        reason,
        detail,
        message_id: Some(message.id.to_string()),
        provider_id,
        send_number: Some(message.send_number).filter(|send_number| *send_number > 1),
        waiting: match &state {
            State::Waiting(waiting) => Some(waiting.clone()),
            _ => None,
        },
        statuses: facts
            .statuses
            .iter()
            .map(|(status, fact)| Reported { status: *status, fact: fact.clone() })
            .collect(),
        resolved: facts.resolved.clone(),
        phone: message.phone.as_deref().map(|phone| output.phone(phone)),
        warning: message.phone.as_deref().and_then(Warning::of),
        text: message.text.clone(),
        sentence,
    }
}

impl Explained {
    /// Returns the explanation as JSON.
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({"event": self.event, "outcomes": self.outcomes, "unaccounted": self.unaccounted});
        if let Some(fields) = document.as_object_mut().filter(|_| !self.unknown_languages.is_empty()) {
            fields.insert("unknown_languages".to_owned(), json!(self.unknown_languages));
        }
        document
    }

    /// Formats the warning about unknown languages.
    fn warnings(&self, texts: &Texts) -> String {
        self.unknown_languages.iter().map(|code| wrapped(&texts.unknown_language(code.as_str()), 2)).collect()
    }

    /// Formats the explanation as text: a table, with the reason below each row.
    pub(crate) fn words(&self, texts: &Texts) -> String {
        let of = |name: &str| self.event.get(name).and_then(Value::as_str).unwrap_or_default();
        let head = texts.event_head(of("id"), of("type"), texts.moment(self.occurred_at, &self.zone)) + "\n";
        if self.outcomes.is_empty() {
            return head + "  " + &texts.notifies_nobody() + "\n" + &self.warnings(texts);
        }
        let name = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let rows: Vec<[String; 4]> = self
            .outcomes
            .iter()
            .map(|outcome| {
                let send_number = outcome.send_number.map(|number| format!(" ({})", texts.send_number(number)));
                let word = texts.outcome(&outcome.outcome) + &send_number.unwrap_or_default();
                [name(&outcome.mapping), name(&outcome.recipient), name(&outcome.phone), word]
            })
            .collect();
        let heading = [texts.column_mapping(), texts.column_recipient(), texts.column_number(), texts.column_outcome()];
        let mut words = head;
        for (index, line) in table(heading, &rows).lines().enumerate() {
            words = words + "  " + line + "\n";
            let outcome = index.checked_sub(1).and_then(|index| self.outcomes.get(index));
            words += &outcome.map(|outcome| outcome.why(&self.zone, texts)).unwrap_or_default();
        }
        words + &self.warnings(texts)
    }
}

impl Outcome {
    /// Formats the reason as a sentence, followed by the text of the message.
    pub(crate) fn why(&self, zone: &TimeZone, texts: &Texts) -> String {
        let detail = self.detail.as_deref().unwrap_or_default();
        let why = match (self.sentence, &self.reason) {
            _ if self.waiting.is_some() => {
                self.waiting.as_ref().map(|waiting| waits(waiting, zone, texts)).unwrap_or_default()
            }
            (Some(reason), _) => texts.skip(reason, detail, zone),
            (None, Some(code)) => texts.code(code.as_str(), detail),
            (None, None) if detail.is_empty() => String::new(),
            (None, None) => texts.technical(detail),
        };
        let statuses: Vec<String> = self.statuses.iter().map(|reported| reported.words(zone, texts)).collect();
        let resolved = self.resolved.as_ref().map(|resolved| stated(resolved, zone, texts)).unwrap_or_default();
        let text = self.text.as_ref().map(|text| format!("«{text}»")).unwrap_or_default();
        let warning = self.warning.map(|warning| warning.words(texts)).unwrap_or_default();
        [why, statuses.join(", "), warning, resolved, text]
            .iter()
            .filter(|words| !words.trim().is_empty())
            .map(|words| wrapped(words, 6))
            .collect()
    }
}

impl Reported {
    fn words(&self, zone: &TimeZone, texts: &Texts) -> String {
        let Self { status, fact } = self;
        let name = match status {
            Status::Sent => "sent",
            Status::Delivered => "delivered",
            Status::Read => "read",
            Status::Failed => "failed",
        };
        let category = fact.category.as_ref().map(|category| format!(" ({category})")).unwrap_or_default();
        format!("{} {}{category}", texts.outcome(name), texts.moment(fact.at, zone))
    }
}

/// Formats the wait reason and the deadline of the wait.
fn waits(waiting: &Waiting, zone: &TimeZone, texts: &Texts) -> String {
    let Waiting { until, why, detail } = waiting;
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    let sentence = texts.wait_reason(*why);
    let until = texts.moment(*until, zone);
    let latest = texts.until_latest(until);
    format!("{sentence}{detail} {latest}")
}

/// Formats how an operator resolved an unknown outcome.
fn stated(resolved: &Resolved, zone: &TimeZone, texts: &Texts) -> String {
    let Resolved { at, arrived, note } = resolved;
    let verdict = match arrived {
        true => texts.resolved_arrived(),
        false => texts.resolved_not_arrived(),
    };
    format!("{verdict} ({}): {note}", texts.moment(*at, zone))
}
