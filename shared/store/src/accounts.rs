//! An account's sending slots and its stop: one item of the `Schedule` table.
//!
//! Conditional updates change the item, so that the pace holds across all concurrent executions.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::site::health::{Cause, Health, Proof, Stop};
use jiff::{SignedDuration, Timestamp};

use crate::contacts::flag;
use crate::error::StoreError;
use crate::item::{Item, Reading, micros, number, text, time};
use crate::schedule::{Lane, Schedule};

/// Consecutive failures after which an account is stopped. A single message cannot be the reason for them.
const CONSECUTIVE_FAILURES_MAX: u32 = 5;
/// Attempts at a lease while other executions advance the slots.
const LEASE_TRIES: u32 = 6;
/// Attempts at a change of an account's health while other executions change it.
const HEALTH_TRIES: u32 = 6;

/// The result of a request for sending slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The slots belong to the caller. They start at `first` and follow at the account's pace.
    Granted {
        /// The first slot.
        first: Timestamp,
        /// Whether failures are counted. The next success must reset them.
        failed_lately: bool,
    },
    /// The next free slot is later than the caller accepts.
    Full {
        /// The time of the next free slot.
        free_at: Timestamp,
    },
    /// The account is stopped.
    Stopped(Stop),
}

/// The sending state of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// The next free slot, which may lie in the past; `None` if no slot was leased yet.
    pub next_free: Option<Timestamp>,
    /// No message is sent through the account before this time, because the provider reported throttling.
    pub paused_until: Option<Timestamp>,
    /// Whether the account can send.
    pub health: Health,
    /// Consecutive failures since the last success.
    pub consecutive_failures: u32,
}

/// The condition under which an account grants slots from `:from` on.
const SENDS: &str =
    "attribute_not_exists(stopped_since) AND (attribute_not_exists(paused_until) OR paused_until <= :from)";

impl AccountState {
    /// Returns the earliest time, from `now` on, at which a message may be sent.
    #[must_use]
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        self.next_free.max(self.paused_until).map_or(now, |at| at.max(now))
    }
}

impl Schedule {
    /// Leases `count` slots that begin at most `within` from now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(
        &self,
        lane: &Lane,
        count: u32,
        pace: SignedDuration,
        within: SignedDuration,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let span = i64::try_from(pace.as_micros()).unwrap_or(i64::MAX).saturating_mul(i64::from(count));
        let horizon = now.saturating_add(within).unwrap_or(now);
        let mut from = now;
        // One update applies if the last slot lies ahead, the other if it has passed. The one that is probably refused
        // would cost a write, so the last known slot decides.
        let mut is_ahead = self.known_slots.get(lane).is_some_and(|next_free| next_free > from);
        for _ in 0..LEASE_TRIES {
            let request = self.account(lane).return_values(ReturnValue::AllNew);
            let request = request
                .expression_attribute_values(":from", micros(from))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let request = if is_ahead {
                request
                    .update_expression("SET next_free = next_free + :span")
                    .condition_expression(format!("{SENDS} AND next_free > :from AND next_free <= :horizon"))
                    .expression_attribute_values(":span", number(span))
                    .expression_attribute_values(":horizon", micros(horizon))
            } else {
                request
                    .update_expression("SET next_free = :next")
                    .condition_expression(format!(
                        "{SENDS} AND (attribute_not_exists(next_free) OR next_free <= :from)"
                    ))
                    .expression_attribute_values(":next", number(from.as_microsecond().saturating_add(span)))
            };
            let (granted, item) = updated(request).await?;
            let state = state_of(&Reading::of(&item))?;
            if let Some(next_free) = state.next_free {
                self.known_slots.keep(lane, next_free);
            }
            if granted {
                let next_free = state.next_free.unwrap_or(now);
                let first = next_free.saturating_sub(SignedDuration::from_micros(span)).unwrap_or(now);
                return Ok(Lease::Granted { first, failed_lately: state.consecutive_failures > 0 });
            }
            let free_at = state.free_at(now);
            if let Some(stop) = state.health.stop {
                return Ok(Lease::Stopped(stop));
            }
            if free_at > horizon {
                return Ok(Lease::Full { free_at });
            }
            from = state.paused_until.map_or(now, |until| until.max(now));
            is_ahead = state.next_free.is_some_and(|next_free| next_free > from);
        }
        Err(StoreError::contended(format!("the slots of {} are moved on too fast", lane.key())))
    }

    /// Gives back the unused slots of a lease, from `unused` to its end. If slots after them are leased, they stay
    /// unused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back_slots(&self, lane: &Lane, unused: Timestamp, end: Timestamp) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("SET next_free = :unused");
        let request = request
            .condition_expression("next_free = :end")
            .expression_attribute_values(":unused", micros(unused))
            .expression_attribute_values(":end", micros(end));
        updated(request).await?;
        Ok(())
    }

    /// Returns the sending state of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_state(&self, lane: &Lane) -> Result<AccountState, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key("pk", text(account_key(lane)));
        let answer = request.consistent_read(true).send().await?;
        answer.item.as_ref().map_or_else(|| Ok(AccountState::default()), |item| state_of(&Reading::of(item)))
    }

    /// Pauses an account: no message is sent through it before `until`, with or without a slot. A longer pause stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pause_account(&self, lane: &Lane, until: Timestamp) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("SET paused_until = :until");
        let request = request
            .condition_expression("attribute_not_exists(paused_until) OR paused_until < :until")
            .expression_attribute_values(":until", micros(until));
        updated(request).await?;
        Ok(())
    }

    /// Stops an account: no message is sent through it until a probe shows that it can send again (see
    /// [`Health::stopped`]). Returns the resulting health.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stop_account(&self, lane: &Lane, cause: Cause<'_>, now: Timestamp) -> Result<Health, StoreError> {
        self.change_health(lane, |health| health.stopped(cause, now)).await
    }

    /// Ends an account's stop and resets its failures, if the proof is sufficient (see [`Health::started`]). Returns
    /// the resulting health.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start_account(&self, lane: &Lane, proof: Proof) -> Result<Health, StoreError> {
        self.change_health(lane, |health| health.started(proof)).await
    }

    /// Allows an immediate probe of a stopped account, because Meta revoked the cause of the stop (see
    /// [`Health::reinstated`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reinstate_account(&self, lane: &Lane, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.change_health(lane, |health| health.reinstated(at, now)).await?;
        Ok(())
    }

    /// Applies a change to an account's health. The change is computed again if the health changed before the write.
    async fn change_health(&self, lane: &Lane, change: impl Fn(&Health) -> Health) -> Result<Health, StoreError> {
        for _ in 0..HEALTH_TRIES {
            let before = self.account_state(lane).await?.health;
            let after = change(&before);
            if after == before || updated(health_update(self.account(lane), &before, &after)).await?.0 {
                return Ok(after);
            }
        }
        Err(StoreError::contended(format!("{} is changed too fast", account_key(lane))))
    }

    /// Takes the right to probe a stopped account. Only one message has it at a time. If its outcome never arrives, the
    /// next message may take the right after `again`.
    ///
    /// Returns how often the right was taken before since the stop; `None` if it is not available.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_probe(
        &self,
        lane: &Lane,
        again: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let request = self.account(lane).update_expression("SET probing_until = :again ADD probes :one");
        let request = request
            .condition_expression(
                "attribute_exists(stopped_since) AND probe_at <= :now AND \
                 (attribute_not_exists(probing_until) OR probing_until <= :now)",
            )
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":again", time(now.saturating_add(again).unwrap_or(now)))
            .return_values(ReturnValue::AllNew);
        let (taken, item) = updated(request).await?;
        let probes = Reading::of(&item).number("probes")?.unwrap_or_default();
        Ok(taken.then(|| probes.saturating_sub(1)))
    }

    /// Counts a failure that the provider caused. Returns whether the account must be stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_failure(&self, lane: &Lane) -> Result<bool, StoreError> {
        let request = self.account(lane).update_expression("ADD troubles :one");
        let request = request.expression_attribute_values(":one", number(1)).return_values(ReturnValue::AllNew);
        let (_, item) = updated(request).await?;
        Ok(state_of(&Reading::of(&item))?.consecutive_failures >= CONSECUTIVE_FAILURES_MAX)
    }

    /// Resets an account's failures after a success. Does nothing if the account is stopped: a message sent before the
    /// stop proves nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_failures(&self, lane: &Lane) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("REMOVE troubles");
        updated(request.condition_expression("attribute_not_exists(stopped_since)")).await?;
        Ok(())
    }

    /// Gives back the right to probe, because the message that had it proves nothing about the account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn return_probe(&self, lane: &Lane) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("REMOVE probing_until");
        updated(request.condition_expression("attribute_exists(probing_until)")).await?;
        Ok(())
    }

    fn account(&self, lane: &Lane) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", text(account_key(lane)))
    }
}

fn account_key(lane: &Lane) -> String {
    format!("ACCOUNT#{}#{}", lane.site, lane.account)
}

/// Sends a conditional update. Returns whether the condition held, and the item: after the update if it did, before it
/// otherwise.
async fn updated(request: UpdateItemFluentBuilder) -> Result<(bool, Item), StoreError> {
    match request.send().await {
        Ok(answer) => Ok((true, answer.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok((false, failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

/// The attributes that determine an account's health. An update requires that they still have their previous values.
const DECIDING: [&str; 4] = ["stopped_since", "caused_at", "probe_at", "started_at"];

/// Adds the new health of an account to an update, on condition that it did not change. Any change ends the right to
/// probe, so that the next probe may go when it is due.
fn health_update(request: UpdateItemFluentBuilder, before: &Health, after: &Health) -> UpdateItemFluentBuilder {
    let deciding = |health: &Health| {
        let stop = health.stop.as_ref();
        [
            stop.map(|stop| stop.since),
            stop.map(|stop| stop.caused_at),
            stop.map(|stop| stop.probe_at),
            health.started_at,
        ]
    };
    let (mut set, mut remove) = (Vec::new(), vec!["probing_until"]);
    let (mut request, mut conditions) = (request, Vec::new());
    for ((name, was), is) in DECIDING.into_iter().zip(deciding(before)).zip(deciding(after)) {
        match was {
            // An item of an older version has no `caused_at`.
            Some(was) => {
                conditions.push(match name {
                    "caused_at" => format!("({name} = :was_{name} OR attribute_not_exists({name}))"),
                    _ => format!("{name} = :was_{name}"),
                });
                request = request.expression_attribute_values(format!(":was_{name}"), time(was));
            }
            None => conditions.push(format!("attribute_not_exists({name})")),
        }
        match is {
            Some(is) => {
                set.push(format!("{name} = :{name}"));
                request = request.expression_attribute_values(format!(":{name}"), time(is));
            }
            None => remove.push(name),
        }
    }
    if let Some(stop) = &before.stop {
        // `by_report` may be the only difference. An item of an older version may not have it.
        let unstated = if stop.by_report { "" } else { " OR attribute_not_exists(by_report)" };
        conditions.push(format!("(by_report = :was_by_report{unstated})"));
        request = request.expression_attribute_values(":was_by_report", AttributeValue::Bool(stop.by_report));
    }
    if let Some(proved_at) = after.proved_at {
        set.push("proved_at = :proved_at".to_owned());
        request = request.expression_attribute_values(":proved_at", time(proved_at));
    }
    match &after.stop {
        Some(stop) => {
            set.push("stopped_code = :code, by_report = :by_report".to_owned());
            request = request
                .expression_attribute_values(":code", text(&stop.code))
                .expression_attribute_values(":by_report", AttributeValue::Bool(stop.by_report));
        }
        None => remove.extend(["stopped_code", "by_report", "probes", "troubles"]),
    }
    let set = if set.is_empty() { String::new() } else { format!("SET {} ", set.join(", ")) };
    request
        .update_expression(format!("{set}REMOVE {}", remove.join(", ")))
        .condition_expression(conditions.join(" AND "))
}

fn state_of(reading: &Reading<'_>) -> Result<AccountState, StoreError> {
    let stop = match (reading.time("stopped_since")?, reading.time("probe_at")?) {
        (Some(since), Some(probe_at)) => Some(Stop {
            since,
            caused_at: reading.time("caused_at")?.unwrap_or(since),
            code: reading.required("stopped_code")?.to_owned(),
            probe_at,
            by_report: flag(reading.item, "by_report") == Some(true),
        }),
        _ => None,
    };
    let health = Health { stop, started_at: reading.time("started_at")?, proved_at: reading.time("proved_at")? };
    let consecutive_failures = reading.number("troubles")?.unwrap_or_default();
    let (next_free, paused_until) = (reading.micros("next_free")?, reading.micros("paused_until")?);
    Ok(AccountState { next_free, paused_until, health, consecutive_failures })
}
