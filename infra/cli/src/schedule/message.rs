//! A message that waits: why until this moment, taken back, and sent without its wait.

use domain::config::{LiveConfig, Site};
use domain::event::{Event, EventData};
use domain::job::{Job, MessageJob};
use domain::key::{MessageId, event_key, message_key};
use domain::mapping::Mapping;
use domain::message::{State, Waiting, Why};
use domain::reason::{Reason, Skip};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::schedule::{DueItem, Lane};

use super::waiting;
use super::when::local;
use crate::failure::Failure;
use crate::outcome;
use crate::output::{Lang, Output, wrapped};
use crate::stack::Stack;
use crate::unknown;

/// A message that waits in the schedule.
pub(super) struct Waits {
    pub(super) item: DueItem,
    pub(super) job: MessageJob,
    pub(super) useful_until: Timestamp,
    /// The lane it stands in; `None`: it waits for a moment of its own.
    pub(super) lane: Option<Lane>,
}

/// A message that waits, with what the ledger says of it.
pub(super) struct Explained {
    waits: Waits,
    state: State,
    /// When the cart was left, of a notice that waits for its interval.
    left_at: Option<Timestamp>,
}

impl Waits {
    fn id(&self) -> MessageId {
        let MessageJob { site, event, mapping, recipient, occasion, .. } = &self.job;
        MessageId { event: event_key(site, event), message: message_key(mapping, recipient, *occasion) }
    }
}

impl Explained {
    pub(super) async fn of(waits: Waits, stack: &Stack) -> Result<Self, Failure> {
        let state = stack.ledger.message(&waits.id()).await?.unwrap_or_default().state();
        let mut left_at = None;
        if let State::Waiting(Waiting { why: Why::CartInterval, .. }) = state {
            let recorded = stack.ledger.recorded(&waits.job.site, &waits.job.event).await?;
            let event = recorded.and_then(|recorded| Event::parse_any(recorded.document, recorded.received_at).ok());
            left_at = match event.map(|event| event.data) {
                Some(EventData::CartAbandoned { cart, .. }) => Some(cart.abandoned_at),
                _ => None,
            };
        }
        Ok(Self { waits, state, left_at })
    }

    pub(super) fn document(&self) -> Value {
        let Waits { item, job, useful_until, lane } = &self.waits;
        let MessageJob { event, mapping, recipient, occasion, .. } = job;
        let (due_at, happened_at) = match lane {
            None => (Some(&item.due_at), None),
            Some(_) => (None, Some(&item.due_at)),
        };
        let waiting = match &self.state {
            State::Waiting(waiting) => Some(waiting),
            _ => None,
        };
        let detail = waiting.map(|waiting| waiting.detail.as_str()).filter(|detail| !detail.is_empty());
        json!({
            "message_id": self.waits.id().to_string(), "event": event, "mapping": mapping, "recipient": recipient,
            "occasion": occasion, "due_at": due_at, "lane": lane.as_ref().map(|lane| &lane.account),
            "occurred_at": happened_at, "useful_until": useful_until,
            "why": waiting.map(|waiting| waiting.why), "detail": detail,
        })
    }

    pub(super) fn words(&self, live: &LiveConfig, lang: Lang) -> String {
        let Waits { item, job, useful_until, lane } = &self.waits;
        let MessageJob { event, mapping, recipient, .. } = job;
        let zone = live.site.zone();
        let at = |moment| local(moment, &zone, lang);
        let place = match (lane, item.due_at.parse()) {
            (None, Ok(due_at)) => format!("{} {}", lang.of("il", "at"), at(due_at)),
            (None, Err(_)) => item.due_at.clone(),
            (Some(lane), _) => format!("{} {}", lang.of("in coda per l'account", "in the lane of"), lane.account),
        };
        let line = format!(
            "{mapping} → {recipient}, {} {event}: {place}, {} {} ({}).",
            lang.of("evento", "event"),
            lang.of("utile fino al", "of use until"),
            at(*useful_until),
            live.site.time_zone,
        );
        let why = match &self.state {
            State::Waiting(waiting) => {
                let rule = self.rule(waiting, live, lang);
                format!("{} {rule}", lang.of(waiting.why.italian(), waiting.why.english()))
            }
            // Its record was dealt with and its item is still to go: nothing will come of it.
            state => {
                let name = state.to_string();
                let word = outcome::word(&name, lang);
                lang.of(
                    format!("Non attende più, risulta: {word}."),
                    format!("It does not wait any more, it is {word}."),
                )
            }
        };
        format!("{}\n{}{}", self.waits.id(), wrapped(&line, 4), wrapped(&why, 4))
    }

    /// The rule and the value that make it this moment.
    fn rule(&self, waiting: &Waiting, live: &LiveConfig, lang: Lang) -> String {
        let Waiting { until, why, detail } = waiting;
        let at = |moment| local(moment, &live.site.zone(), lang);
        let mapping = live.mapping(&self.waits.job.mapping);
        let rule = match why {
            Why::CartInterval => self.left_at.map(|left_at| interval(left_at, *until, &live.site, lang)),
            Why::Hold if !detail.is_empty() => Some(lang.of(
                format!("Il suo file sarà nel messaggio {detail}."),
                format!("The message {detail} will tell its file."),
            )),
            Why::Hold => mapping.and_then(|mapping| mapping.hold_for).map(|hold_for| {
                lang.of(
                    format!("Attesa dell'azione (hold_for): {hold_for}."),
                    format!("The mapping's hold_for is {hold_for}."),
                )
            }),
            Why::QuietHours => mapping.and_then(|mapping| quiet_hours(mapping, &at(*until), lang)),
            Why::Retry
            | Why::Pace
            | Why::Pair
            | Why::AccountStopped
            | Why::SitePaused
            | Why::TemplateHeld
            | Why::Volume => None,
        };
        rule.unwrap_or_else(|| {
            let detail = if detail.is_empty() { String::new() } else { format!("({detail}) ") };
            format!("{detail}{} {}.", lang.of("Al più tardi il", "At the latest"), at(*until))
        })
    }
}

/// How a cart's moment follows from when it was left.
fn interval(left_at: Timestamp, due_at: Timestamp, site: &Site, lang: Lang) -> String {
    let left = local(left_at, &site.zone(), lang);
    let minutes = due_at.duration_since(left_at).as_mins();
    let own = SignedDuration::from_mins(i64::from(site.cart_interval)).as_mins();
    let longest = site.cart_max_postponement;
    let (italian, english) = match minutes.cmp(&own) {
        std::cmp::Ordering::Equal => (", l'intervallo del sito".to_owned(), ", the site's interval".to_owned()),
        std::cmp::Ordering::Less => (
            format!(": al massimo {longest} minuti dal primo carrello"),
            format!(": at most {longest} minutes after the first cart was left"),
        ),
        // The site's interval was another one when the moment was set.
        std::cmp::Ordering::Greater => (String::new(), String::new()),
    };
    lang.of(
        format!("Lasciato il {left}, l'avviso è {minutes} minuti dopo{italian}."),
        format!("Left at {left}, told {minutes} minutes after it{english}."),
    )
}

/// Between which hours a mapping is quiet, and when they end.
fn quiet_hours(mapping: &Mapping, until: &str, lang: Lang) -> Option<String> {
    let quiet = mapping.quiet_hours.as_ref()?;
    let (from, to) = (String::from(quiet.from), String::from(quiet.to));
    let holidays =
        if quiet.holidays.is_empty() { "" } else { lang.of(" e nei giorni di festa", " and on the holidays") };
    Some(lang.of(
        format!("Dalle {from} alle {to}{holidays}: finisce il {until}."),
        format!("From {from} to {to}{holidays}: they end at {until}."),
    ))
}

pub(super) async fn cancel(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    let cancelled = match message.facts.state() {
        State::Waiting(_) => stack.parking.cancel(&message.id, &Skip::new(Reason::Cancelled, "operator")).await?,
        _ => false,
    };
    if !cancelled {
        let (_, message) = unknown::find(typed, stack).await?;
        return Err(Failure::No(format!("it does not wait, it is {}", message.facts.state())));
    }
    let id = message.id.to_string();
    let document = json!({"message_id": id, "event": event.id, "outcome": "skipped", "reason": Reason::Cancelled});
    output.say(&document, |lang| lang.of("Annullato.", "Cancelled.").to_owned());
    Ok(())
}

/// Puts a message into the queue as one that does not wait for its interval, its hold and the end of quiet hours.
pub(super) async fn fire_now(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    let found = waiting(stack).await?.0.into_iter().find(|one| one.id() == message.id);
    let found = found.ok_or_else(|| match message.facts.state() {
        State::Waiting(waiting) => {
            Failure::No(format!("it is not in the schedule but in the queue, which brings it until {}", waiting.until))
        }
        state => Failure::No(format!("it does not wait, it is {state}")),
    })?;
    let job = MessageJob { at_once: true, ..found.job };
    // The record is in the queue before the item goes: a crash in between repeats it, which the claim absorbs.
    stack.queue.send(&Job::Message(job)).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
    stack.schedule.remove(&found.item).await?;
    output.say(&json!({"message_id": message.id.to_string(), "event": event.id}), |lang| {
        lang.of(
            format!("In coda. L'esito: bridge explain --event {}", event.id),
            format!("Queued. Its outcome: bridge explain --event {}", event.id),
        )
    });
    Ok(())
}
