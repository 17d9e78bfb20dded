//! An account's sending slots and whether it is stopped: one item of the `Schedule` table, moved on by conditional
//! updates, so that the pace holds over all executions together.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::backoff::PAUSE_MAX;
use jiff::{SignedDuration, Timestamp};

use crate::contacts::flag;
use crate::error::StoreError;
use crate::item::{Item, Reading, micros, number, text, time};
use crate::schedule::{Lane, Schedule};

/// Failures without a success in between after which an account is stopped: not one message's matter any more.
const TROUBLES_MAX: u32 = 5;
/// Times a lease is tried while others move the slots on.
const LEASE_TRIES: u32 = 6;

/// What an account answers to who wants sending slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The slots are the caller's: the first is at this moment, the others follow at the account's pace.
    Granted {
        /// The first slot.
        first: Timestamp,
        /// Whether the account failed lately: the next success should say that it is over.
        troubled: bool,
    },
    /// The next free slot is further away than the caller would wait.
    Full {
        /// When it is.
        free_at: Timestamp,
    },
    /// The account is stopped.
    Stopped(Stop),
}

/// Why an account is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub since: Timestamp,
    /// The provider's code, or `none`.
    pub code: String,
    /// When the next message may try whether the account can send again.
    pub probe_at: Timestamp,
    /// Whether a report of what became of a message stopped it: then that a message is accepted says nothing, and only
    /// a report that one left ends the stop.
    pub by_report: bool,
}

/// What is known of an account's sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Its next free slot, unless that is long over.
    pub next_free: Option<Timestamp>,
    /// Whether it is stopped.
    pub stop: Option<Stop>,
    /// Failures since the last success.
    pub troubles: u32,
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
        for turn in 0..LEASE_TRIES {
            let request = self.account(lane).return_values(ReturnValue::AllNew);
            let request = request
                .expression_attribute_values(":now", micros(now))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            // Whether the last slot is over decides which of the two updates passes; the one that was refused tells.
            let request = if turn % 2 == 0 {
                request
                    .update_expression("SET next_free = next_free + :span")
                    .condition_expression(
                        "attribute_not_exists(stopped_since) AND next_free > :now AND next_free <= :horizon",
                    )
                    .expression_attribute_values(":span", number(span))
                    .expression_attribute_values(":horizon", micros(horizon))
            } else {
                request
                    .update_expression("SET next_free = :next")
                    .condition_expression(
                        "attribute_not_exists(stopped_since) AND (attribute_not_exists(next_free) OR next_free <= :now)",
                    )
                    .expression_attribute_values(":next", number(now.as_microsecond().saturating_add(span)))
            };
            let (granted, item) = updated(request).await?;
            let state = state_of(&Reading::of(&item))?;
            let next_free = state.next_free.unwrap_or(now);
            if granted {
                let first = next_free.saturating_sub(SignedDuration::from_micros(span)).unwrap_or(now);
                return Ok(Lease::Granted { first, troubled: state.troubles > 0 });
            }
            if let Some(stop) = state.stop {
                return Ok(Lease::Stopped(stop));
            }
            if next_free > horizon {
                return Ok(Lease::Full { free_at: next_free });
            }
        }
        Err(StoreError::Unavailable(format!("the slots of {} are moved on too fast", lane.key())))
    }

    /// What is known of an account's sending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_state(&self, lane: &Lane) -> Result<AccountState, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key("pk", text(account_key(lane)));
        let answer = request.consistent_read(true).send().await?;
        answer.item.as_ref().map_or_else(|| Ok(AccountState::default()), |item| state_of(&Reading::of(item)))
    }

    /// Lets no slot of an account begin before a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pause_account(&self, lane: &Lane, until: Timestamp) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("SET next_free = :until");
        let request = request
            .condition_expression("attribute_not_exists(next_free) OR next_free < :until")
            .expression_attribute_values(":until", micros(until));
        updated(request).await?;
        Ok(())
    }

    /// Stops an account: nothing is sent through it until a probe shows that it can send again. Stopping one that is
    /// stopped moves the next probe on, twice as far each time, up to a quarter of an hour or what the code asks for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stop_account(
        &self,
        lane: &Lane,
        (code, by_report): (&str, bool),
        probe_after: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stop = self.account_state(lane).await?.stop;
        let stopped_for = stop.map_or(SignedDuration::ZERO, |stop| now.duration_since(stop.since));
        let pause = stopped_for.min(PAUSE_MAX).max(probe_after);
        let request = self.account(lane);
        let request = request
            .update_expression(
                "SET stopped_since = if_not_exists(stopped_since, :now), stopped_code = :code, probe_at = :probe_at, \
                 by_report = :by_report",
            )
            .expression_attribute_values(":by_report", AttributeValue::Bool(by_report))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":code", text(code))
            .expression_attribute_values(":probe_at", time(now.saturating_add(pause).unwrap_or(now)));
        request.send().await?;
        Ok(())
    }

    /// Takes the leave to probe a stopped account, which only one message has at a time: the next may `again` later.
    /// Answers how often it was taken since the account was stopped, this time not counted; `None` if it was not there to
    /// be taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_probe(
        &self,
        lane: &Lane,
        again: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let request = self.account(lane).update_expression("SET probe_at = :again ADD probes :one");
        let request = request
            .condition_expression("attribute_exists(stopped_since) AND probe_at <= :now")
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":again", time(now.saturating_add(again).unwrap_or(now)))
            .return_values(ReturnValue::AllNew);
        let (taken, item) = updated(request).await?;
        let probes = Reading::of(&item).number("probes")?.unwrap_or_default();
        Ok(taken.then(|| probes.saturating_sub(1)))
    }

    /// Counts a failure that is nobody's but the provider's. Answers whether there were so many that the account should
    /// be stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_trouble(&self, lane: &Lane) -> Result<bool, StoreError> {
        let request = self.account(lane).update_expression("ADD troubles :one");
        let request = request.expression_attribute_values(":one", number(1)).return_values(ReturnValue::AllNew);
        let (_, item) = updated(request).await?;
        Ok(state_of(&Reading::of(&item))?.troubles >= TROUBLES_MAX)
    }

    /// Ends an account's stop and forgets its failures: a message went through, or an operator says so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start_account(&self, lane: &Lane) -> Result<(), StoreError> {
        let request = self
            .account(lane)
            .update_expression("REMOVE stopped_since, stopped_code, probe_at, probes, by_report, troubles");
        request.send().await?;
        Ok(())
    }

    /// Forgets an account's failures, a message went through; not if it was stopped meanwhile, which a message that was
    /// on its way before says nothing of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_troubles(&self, lane: &Lane) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("REMOVE troubles");
        updated(request.condition_expression("attribute_not_exists(stopped_since)")).await?;
        Ok(())
    }

    /// Gives the leave to probe back: the message that had it could not try.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn return_probe(&self, lane: &Lane, now: Timestamp) -> Result<(), StoreError> {
        let request = self.account(lane).update_expression("SET probe_at = :now");
        let request = request.condition_expression("attribute_exists(stopped_since)");
        updated(request.expression_attribute_values(":now", time(now))).await?;
        Ok(())
    }

    fn account(&self, lane: &Lane) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", text(account_key(lane)))
    }
}

fn account_key(lane: &Lane) -> String {
    format!("ACCOUNT#{}#{}", lane.site, lane.account)
}

/// Sends a conditional update: whether it passed, with the item after or, where it did not, before it.
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

fn state_of(reading: &Reading<'_>) -> Result<AccountState, StoreError> {
    let stop = match (reading.time("stopped_since")?, reading.time("probe_at")?) {
        (Some(since), Some(probe_at)) => {
            let by_report = flag(reading.item, "by_report") == Some(true);
            Some(Stop { since, code: reading.required("stopped_code")?.to_owned(), probe_at, by_report })
        }
        _ => None,
    };
    let troubles = reading.number("troubles")?.unwrap_or_default();
    Ok(AccountState { next_free: reading.micros("next_free")?, stop, troubles })
}
