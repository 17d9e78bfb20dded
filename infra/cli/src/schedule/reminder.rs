//! A waiting reminder: whether it is still valid, the reason of its due time, and its recipients. [`change`] cancels or
//! raises it.
//!
//! People identify it by the id of the event that it will raise. `explain` accepts the same id for its outcome.

mod change;

use domain::decision::plan::Plan;
use domain::decision::reminder::{due_at, raised, saved_fingerprint};
use domain::event::person::Person;
use domain::event::{Activity, ActivityTime, DueReminder, Event, EventData};
use domain::message::reason::Reason;
use domain::primitives::cause::Cause;
use domain::primitives::id::EventId;
use domain::primitives::key::reminder_event_id;
use domain::site::config::Site;
use serde_json::{Value, json};
use store::contacts::LatestActivity;
use store::ledger::{RecordedEvent, is_erased};
use store::schedule::ReminderItem;
use store::{BatchGet, StoreError};
use texts::Texts;

use super::kept::Kept;
use crate::failure::Failure;
use crate::output::wrapped;
use crate::stack::Stack;

pub(super) use change::{cancel, fire_now};

/// A reminder, evaluated as the sweep does when it is due.
pub(super) struct Looked {
    kept: Kept,
    /// The event it is raised from: the latest `activity.saved` if the reminder is valid, otherwise the one that
    /// scheduled it.
    saved_by: EventId,
    /// The event it will raise, if that can be built.
    event: Option<Event>,
    validity: Validity,
}

/// The validity of a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    Valid,
    /// Its activity is deleted, cancelled or completed.
    Over,
    /// A newer event changed its activity.
    Changed,
    /// An operator cancelled it.
    TakenBack,
    /// It was raised: its event is in the ledger.
    Raised,
    /// The event or the activity's record is missing or was erased.
    Lost,
    /// Its data is malformed. The sweep keeps the reminder and reports it.
    Unreadable,
}

impl Kept {
    /// Reads an event that saved its activity; `None` if it is missing or was erased.
    fn saved(&self, event: &EventId, recorded: &BatchGet<RecordedEvent>) -> Result<Option<Event>, StoreError> {
        let recorded = recorded.get(&self.in_ledger(event)).cloned().transpose()?;
        let Some(recorded) = recorded.filter(|recorded| !is_erased(&recorded.document)) else { return Ok(None) };
        let saved = Event::parse_any(recorded.document, recorded.received_at);
        saved.map(Some).map_err(|error| StoreError::Malformed { key: event.to_string(), cause: Cause::new(error) })
    }

    /// Determines whether its activity still has it at its due time. Returns the event it is raised from, the event it
    /// will raise, and its validity.
    fn validity_of(
        &self,
        latest: &BatchGet<LatestActivity>,
        recorded: &BatchGet<RecordedEvent>,
    ) -> Result<(EventId, Option<Event>, Validity), StoreError> {
        let ReminderItem { event, reminder, .. } = &self.reminder;
        let latest = latest.get(&self.activity()).map(Result::as_ref).transpose().map_err(Clone::clone)?;
        let saved = self.saved(event, recorded)?;
        let fingerprint = saved.as_ref().and_then(|saved| saved_fingerprint(saved, reminder));
        let (saved, validity) = match (latest, &fingerprint) {
            (Some(latest), Some(fingerprint)) if latest.has(fingerprint) => {
                (self.saved(&latest.event, recorded)?, Validity::Valid)
            }
            (Some(latest), _) if latest.over => (saved, Validity::Over),
            (Some(_), Some(_)) => (saved, Validity::Changed),
            (_, _) => (saved, Validity::Lost),
        };
        let event = saved.as_ref().and_then(|saved| self.raises(saved));
        let validity = if event.is_none() && validity == Validity::Valid { Validity::Lost } else { validity };
        Ok((saved.map_or_else(|| self.reminder.event.clone(), |saved| saved.id), event, validity))
    }

    /// Builds the event it will raise, from the event that saved its activity.
    fn raises(&self, saved: &Event) -> Option<Event> {
        let ReminderItem { reminder, due_at, .. } = &self.reminder;
        let document = raised(saved, &self.item.key, reminder, *due_at)?;
        // Parse as of the due time, which may be in the future: an event cannot occur after it is received.
        Event::parse_any(document, *due_at).ok()
    }
}

impl Validity {
    /// Returns why it will not be sent, as a JSON value; `None` if it will be sent.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Valid => None,
            Self::Over => Some("over"),
            Self::Changed => Some("changed"),
            Self::TakenBack => Some("taken_back"),
            Self::Raised => Some("raised"),
            Self::Lost => Some("lost"),
            Self::Unreadable => Some("unreadable"),
        }
    }

    pub(super) fn words(self, texts: &Texts) -> String {
        match self {
            Self::Valid => String::new(),
            Self::Over => texts.reminder_ended(),
            Self::Changed => texts.reminder_changed(),
            Self::TakenBack => texts.reminder_cancelled(),
            Self::Raised => texts.reminder_raised(),
            Self::Lost => texts.reminder_forgotten(),
            Self::Unreadable => texts.reminder_unreadable(),
        }
    }
}

impl Looked {
    /// Evaluates reminders and keeps their order.
    pub(super) async fn at(all: Vec<Kept>, stack: &Stack) -> Result<Vec<Self>, Failure> {
        let latest = stack.contacts.activities(&all.iter().map(Kept::activity).collect::<Vec<_>>()).await?;
        let newest = |kept: &Kept| Some(kept.in_ledger(&latest.get(&kept.activity())?.as_ref().ok()?.event));
        let wanted =
            all.iter().flat_map(|kept| std::iter::once(kept.in_ledger(&kept.reminder.event)).chain(newest(kept)));
        let recorded = stack.ledger.recorded_all(&wanted.collect::<Vec<_>>()).await?;
        let mut looked_at: Vec<Self> = all.into_iter().map(|kept| Self::look(kept, &latest, &recorded)).collect();
        let raised = |looked: &Self| Some(looked.kept.in_ledger(&looked.event.as_ref()?.id));
        let known = stack.ledger.recorded_all(&looked_at.iter().filter_map(raised).collect::<Vec<_>>()).await?;
        for looked in &mut looked_at {
            let Ok(known) = raised(looked).and_then(|key| known.get(&key).cloned()).transpose() else {
                looked.validity = Validity::Unreadable;
                continue;
            };
            match known {
                // A recorded event determines the outcome itself.
                Some(_) if looked.validity == Validity::Unreadable => {}
                Some(known) if is_taken_back(&known.plan) => looked.validity = Validity::TakenBack,
                Some(_) => looked.validity = Validity::Raised,
                None => {}
            }
        }
        Ok(looked_at)
    }

    /// Evaluates a reminder against its activity and the latest event that saved it. Malformed data makes it
    /// unreadable.
    fn look(kept: Kept, latest: &BatchGet<LatestActivity>, recorded: &BatchGet<RecordedEvent>) -> Self {
        match kept.validity_of(latest, recorded) {
            Ok((saved_by, event, validity)) => Self { kept, saved_by, event, validity },
            Err(_) => {
                let saved_by = kept.reminder.event.clone();
                Self { kept, saved_by, event: None, validity: Validity::Unreadable }
            }
        }
    }

    /// Returns the id of the event it will raise.
    pub(super) fn id(&self) -> String {
        reminder_event_id(&self.kept.item.key, self.kept.reminder.due_at, &self.saved_by)
    }

    fn notified(&self) -> Option<(&Activity, &DueReminder, &[Person])> {
        let event = self.event.as_ref()?;
        match &event.data {
            EventData::ActivityReminder { activity, reminder, .. } => Some((activity, reminder, event.recipients())),
            _ => None,
        }
    }

    pub(super) fn document(&self) -> Value {
        let ReminderItem { event, activity, reminder, due_at, .. } = &self.kept.reminder;
        let (mut minutes_before, mut starts_at, mut time_zone, mut recipients) = (None, None, None, Vec::new());
        if let Some((activity, reminder, people)) = self.notified() {
            minutes_before = Some(reminder.minutes_before);
            starts_at = Some(match activity.starts {
                ActivityTime::At(instant) => instant.display_with_offset(activity.zone.to_offset(instant)).to_string(),
                ActivityTime::Day(day) => day.to_string(),
            });
            time_zone = activity.zone.iana_name();
            recipients = people.iter().map(|person| &person.id).collect();
        }
        json!({
            "id": self.id(), "event": event, "activity": activity, "reminder": reminder, "due_at": due_at,
            "minutes_before": minutes_before, "starts_at": starts_at, "time_zone": time_zone,
            "recipients": recipients, "stands": self.validity == Validity::Valid, "why": self.validity.name(),
        })
    }

    pub(super) fn words(&self, site: &Site, texts: &Texts) -> String {
        let ReminderItem { event, activity, reminder, due_at, .. } = &self.kept.reminder;
        let (zone, rule, people) = match self.notified() {
            Some((activity, notified, people)) => {
                let name = activity.zone.iana_name().unwrap_or_default().to_owned();
                let rule = format!(", {} ({name})", self.rule(activity, notified.minutes_before, site, texts));
                (activity.zone.clone(), rule, people)
            }
            None => (site.zone(), format!(" ({})", site.time_zone), &[] as &[Person]),
        };
        let line = texts.reminder_line(
            reminder.as_str(),
            activity.as_str(),
            event.as_str(),
            texts.moment(*due_at, &zone),
            rule,
        );
        let mut words = format!("{}\n{}", self.id(), wrapped(&line, 4));
        let people: Vec<String> = people.iter().map(named).collect();
        if !people.is_empty() {
            words += &wrapped(&texts.recipients(people.join(", ")), 4);
        }
        if self.validity != Validity::Valid {
            words += &wrapped(&self.validity.words(texts), 4);
        }
        words
    }

    /// Formats how its due time follows from the activity's start.
    fn rule(&self, activity: &Activity, minutes_before: u64, site: &Site, texts: &Texts) -> String {
        let start = match activity.starts {
            ActivityTime::At(instant) => texts.starts_at(texts.moment(instant, &activity.zone)),
            ActivityTime::Day(date) => {
                texts.starts_all_day(texts.date(date), site.morning.strftime("%H:%M").to_string())
            }
        };
        let before = match minutes_before {
            0 => texts.at_the_start(),
            minutes => texts.before_the_start(texts.lead(minutes)),
        };
        if due_at(activity, minutes_before, site.morning) == Some(self.kept.reminder.due_at) {
            texts.reminder_rule(before, start)
        } else {
            texts.reminder_by_hand(before, start)
        }
    }
}

/// Formats a person as name and id, or as the id alone.
fn named(person: &Person) -> String {
    match person.full_name() {
        Some(name) => format!("{name} ({})", person.id),
        None => person.id.to_string(),
    }
}

fn is_taken_back(plan: &Plan) -> bool {
    let cancelled = plan.skips.iter().all(|planned| planned.skip.reason == Reason::Cancelled);
    plan.messages.is_empty() && !plan.skips.is_empty() && cancelled
}
