//! A waiting message: the reason of its due time, its cancellation, and sending it now.

use domain::decision::cart;
use domain::decision::digest::releases_members;
use domain::event::{Event, EventData};
use domain::mapping::Mapping;
use domain::message::reason::{BY_OPERATOR, Reason, Skip};
use domain::message::state::{State, WaitReason, Waiting};
use domain::primitives::key::{CartKeys, MessageId};
use domain::queue::job::{Job, MessageJob};
use domain::site::config::{LiveConfig, Site};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::StoreError;
use store::schedule::{Due, DueItem};
use texts::Texts;

use crate::failure::Failure;
use crate::output::{Output, wrapped};
use crate::stack::Stack;
use crate::unknown;

/// A message that waits in the schedule.
pub(super) struct Waits {
    pub(super) item: DueItem,
    pub(super) job: MessageJob,
    pub(super) useful_until: Timestamp,
}

/// A waiting message with its state in the ledger.
pub(super) struct Explained {
    waits: Waits,
    /// `None` if the ledger's record is unreadable.
    state: Option<State>,
    /// The cart, if a cart notice waits for its interval.
    cart: Option<LeftCart>,
}

/// The abandoned cart of a waiting cart notice.
struct LeftCart {
    left_at: Timestamp,
    /// When the first cart was abandoned, if later carts postponed the notice.
    first: Option<Timestamp>,
    /// The mapping's own interval, in minutes.
    own: Option<u16>,
    /// Why the notice will not be sent, judged by the current carts.
    gone: Option<Reason>,
}

impl Explained {
    pub(super) async fn of(waits: Waits, live: &LiveConfig, stack: &Stack) -> Result<Self, Failure> {
        let facts = readable(stack.ledger.message(&waits.job.id()).await)?;
        let state = facts.map(|facts| facts.unwrap_or_default().state());
        let cart = match &state {
            Some(State::Waiting(Waiting { why: WaitReason::CartInterval, .. })) => {
                LeftCart::of(&waits, live, stack).await?
            }
            _ => None,
        };
        Ok(Self { waits, state, cart })
    }

    pub(super) fn document(&self) -> Value {
        let Waits { item, job, useful_until } = &self.waits;
        let MessageJob { event, mapping, recipient, send_number, .. } = job;
        let moment = item.due_at.parse::<Timestamp>().ok();
        let (due_at, happened_at) = if item.lane.is_none() { (moment, None) } else { (None, moment) };
        let waiting = match &self.state {
            Some(State::Waiting(waiting)) => Some(waiting),
            _ => None,
        };
        let detail = waiting.map(|waiting| waiting.detail.as_str()).filter(|detail| !detail.is_empty());
        json!({
            "message_id": self.waits.job.id().to_string(), "event": event, "mapping": mapping, "recipient": recipient,
            "occasion": send_number, "due_at": due_at, "lane": item.lane.as_ref().map(|lane| &lane.account),
            "occurred_at": happened_at, "useful_until": useful_until,
            "why": waiting.map(|waiting| waiting.why), "detail": detail,
        })
    }

    pub(super) fn words(&self, live: &LiveConfig, texts: &Texts) -> String {
        let Waits { item, job, useful_until } = &self.waits;
        let MessageJob { event, mapping, recipient, .. } = job;
        let zone = live.site.zone();
        let at = |moment| texts.moment(moment, &zone);
        let place = match (&item.lane, item.due_at.parse()) {
            (None, Ok(due_at)) => texts.on(at(due_at)),
            (None, Err(_)) => item.due_at.clone(),
            (Some(lane), _) => texts.in_lane(lane.account.as_str()),
        };
        let line = texts.waiting_message(
            mapping.as_str(),
            recipient.as_str(),
            event.as_str(),
            place,
            at(*useful_until),
            live.site.time_zone.as_str(),
        );
        let why = match &self.state {
            None => texts.state_unreadable(),
            Some(State::Waiting(waiting)) => {
                let rule = self.rule(waiting, live, texts);
                let gone = self.cart.as_ref().and_then(|cart| cart.gone);
                let gone = gone.map(|reason| {
                    let sentence = texts.reason(reason);
                    format!(" {} {sentence}", texts.will_not_send())
                });
                let why = texts.wait_reason(waiting.why);
                format!("{why} {rule}{}", gone.unwrap_or_default())
            }
            // The message is settled, and its item is about to be removed.
            Some(state) => {
                let name = state.to_string();
                let word = texts.outcome(&name);
                texts.no_longer_waits(word)
            }
        };
        format!("{}\n{}{}", self.waits.job.id(), wrapped(&line, 4), wrapped(&why, 4))
    }

    /// Formats the rule and the value that determine the due time.
    fn rule(&self, waiting: &Waiting, live: &LiveConfig, texts: &Texts) -> String {
        let Waiting { until, why, detail } = waiting;
        let at = |moment| texts.moment(moment, &live.site.zone());
        let mapping = live.mapping(&self.waits.job.mapping);
        let rule = match why {
            WaitReason::CartInterval => self.cart.as_ref().map(|cart| cart.interval(*until, &live.site, texts)),
            WaitReason::Hold if !detail.is_empty() => Some(texts.digest_includes(detail)),
            WaitReason::Hold => {
                mapping.and_then(|mapping| mapping.hold_for).map(|hold_for| texts.hold_for(hold_for.to_string()))
            }
            WaitReason::QuietHours => mapping.and_then(|mapping| quiet_hours(mapping, &at(*until), texts)),
            WaitReason::Retry
            | WaitReason::Pace
            | WaitReason::Pair
            | WaitReason::AccountStopped
            | WaitReason::SitePaused
            | WaitReason::TemplateHeld
            | WaitReason::Volume => None,
        };
        rule.unwrap_or_else(|| {
            let detail = if detail.is_empty() { String::new() } else { format!("({detail}) ") };
            let until = at(*until);
            let latest = texts.until_latest(until);
            format!("{detail}{latest}")
        })
    }
}

/// Turns malformed data into `None`, so that it does not hide the rest of a list.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, Failure> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Malformed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl LeftCart {
    /// Reads the cart of a notice and evaluates the customer's carts. `None` if the event or the carts cannot be read.
    async fn of(waits: &Waits, live: &LiveConfig, stack: &Stack) -> Result<Option<Self>, Failure> {
        let (site, mapping) = (&live.site, live.mapping(&waits.job.mapping));
        let recorded = readable(stack.ledger.recorded(&site.id, &waits.job.event).await)?.flatten();
        let event = recorded.and_then(|recorded| Event::parse_any(recorded.document, recorded.received_at).ok());
        let Some(EventData::CartAbandoned { cart, customer }) = event.map(|event| event.data) else { return Ok(None) };
        let secret = stack.contact_secret().await?;
        let contact = secret.contact_of(site, &customer);
        let keys = CartKeys::new(&site.id, [&customer.id, &cart.id], contact.as_deref());
        let keys = stack.contacts.cart_keys(keys, &secret.person_key(&site.id, &customer.id)).await?;
        let Some(latest) = readable(stack.contacts.carts(&keys, &waits.job.mapping).await)? else { return Ok(None) };
        let due_at = cart::due_at(cart.abandoned_at, &latest, mapping, site);
        let gone = cart::judge(&cart, &latest, (&waits.job.id().to_string(), due_at)).err().map(|skip| skip.reason);
        let own = mapping.and_then(|mapping| mapping.cart_interval);
        Ok(Some(Self { left_at: cart.abandoned_at, first: latest.first, own, gone }))
    }

    /// Formats how the due time follows from the abandonment.
    fn interval(&self, due_at: Timestamp, site: &Site, texts: &Texts) -> String {
        let left = texts.moment(self.left_at, &site.zone());
        let after = texts.lead(due_at.duration_since(self.left_at).as_mins().unsigned_abs());
        let longest = self.first.and_then(|first| first.checked_add(cart::postponed_max(site)).ok());
        let passed = due_at.duration_since(self.left_at);
        let (left, after) = (left.as_str(), after.as_str());
        if self.own.is_some_and(|own| passed.as_mins() == i64::from(own)) {
            texts.left_cart_of_mapping(left, after)
        } else if self.own.is_none() && passed == cart::interval(site) {
            texts.left_cart_of_site(left, after)
        } else if longest == Some(due_at) {
            texts.left_cart_longest(left, after, texts.lead(site.cart_max_postponement.into()))
        } else {
            // A setting had another value when the due time was set.
            texts.left_cart(left, after)
        }
    }
}

/// Formats a mapping's quiet hours and when they end.
fn quiet_hours(mapping: &Mapping, until: &str, texts: &Texts) -> Option<String> {
    let quiet = mapping.quiet_hours.as_ref()?;
    let (from, to) = (String::from(quiet.from), String::from(quiet.to));
    Some(match quiet.holidays.is_empty() {
        true => texts.quiet_hours(from, to, until),
        false => texts.quiet_hours_and_holidays(from, to, until),
    })
}

pub(super) async fn cancel(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    if let Some(item) = stack.schedule.message(&message.id).await? {
        goes_alone(&message.id, &item, stack).await?;
    }
    let cancelled = match message.facts.state() {
        State::Waiting(_) => stack.parking.cancel(&message.id, &Skip::new(Reason::Cancelled, BY_OPERATOR)).await?,
        _ => false,
    };
    if !cancelled {
        let (_, message) = unknown::find(typed, stack).await?;
        return Err(Failure::no(|texts| texts.does_not_wait(message.facts.state().to_string())));
    }
    let id = message.id.to_string();
    let document = json!({"message_id": id, "event": event.id, "outcome": "skipped", "reason": Reason::Cancelled});
    output.say(&document, |texts| texts.cancelled().to_owned());
    Ok(())
}

/// Refuses a message that joined a digest: it is cancelled or sent with the digest message, and only waits for that
/// outcome. If the digest message was skipped for a reason of its own, the joined message is handled alone.
async fn goes_alone(id: &MessageId, item: &DueItem, stack: &Stack) -> Result<(), Failure> {
    let Due::Message { job: MessageJob { digest: Some(digest), .. }, .. } = &item.what else { return Ok(()) };
    if digest == id || stack.ledger.message(digest).await?.is_some_and(|facts| releases_members(&facts)) {
        return Ok(());
    }
    Err(Failure::no(|texts| texts.in_digest(digest.to_string())))
}

/// Queues a message with `send_now`, so that it skips its interval, its hold and the quiet hours.
pub(super) async fn fire_now(typed: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let (event, message) = unknown::find(typed, stack).await?;
    let found = stack.schedule.message(&message.id).await?;
    let (Some(item), State::Waiting(waiting)) = (found, message.facts.state()) else {
        let zone = stack.zone().await?;
        return Err(match message.facts.state() {
            State::Waiting(waiting) => Failure::no(|texts| texts.in_queue(texts.moment(waiting.until, &zone))),
            state => Failure::no(|texts| texts.does_not_wait(texts.outcome(&state.to_string()))),
        });
    };
    goes_alone(&message.id, &item, stack).await?;
    let Due::Message { job, .. } = item.what.clone() else {
        return Err(Failure::no(|texts| texts.wait_reason(waiting.why)));
    };
    let job = MessageJob { send_now: true, ..job };
    // Queue the message before removing its item. A crash in between repeats the message, which the claim absorbs.
    stack.queue.send(&Job::Message(job)).await.map_err(|error| Failure::aws(&error))?;
    stack.schedule.remove(&item).await?;
    output.say(&json!({"message_id": message.id.to_string(), "event": event.id}), |texts| texts.fired(event.id));
    Ok(())
}
