//! The claim: one transaction over the message and what it must not overtake, repeat or disregard.
//!
//! | item | table | refuses when |
//! |---|---|---|
//! | the message | `Ledger` | anything is decided of it, or a newer record of it is on its way |
//! | the person | `Contacts` | they opted out, and the event says nothing newer |
//! | the number | `Contacts` | it is suppressed or unreachable, or has no free slot: one message every 6 s, 40 at once |
//! | the subject's head | `Contacts` | a newer event of the subject was claimed for the same mapping and recipient |
//! | the occasion | `Contacts` | the same state, or the same actor, was told before |
//! | the customer's carts, or a guest's by their number | `Contacts` | the customer ordered, has a newer cart, or was told of one by the mapping within the last day or since it was left; where a person asks for the notice, only if the customer ordered |
//! | the cart | `Contacts` | it was emptied, or the customer came back to it |
//! | the activity | `Contacts` | it is over, or does not have its reminder at that moment any more; of a reminder that Passweb raised, by something newer |
//! | the files it tells | `Ledger` | another file joined them |
//!
//! Head, occasion and carts belong to the message that wrote them, so that its own next attempt passes.
//!
//! The owner of a claim is one attempt to send one message. Nobody takes a claim over: [`Claims::release`] ends one whose
//! owner surely never called the provider, which only the record that the owner itself put back can say.

mod carts;
mod give_back;
mod guards;
mod release;
mod verdict;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::decision::cart::CartHistory;
use domain::decision::digest::Files;
use domain::decision::guards::Guards;
use domain::message::suppression::{DecisionContext, Scope};
use domain::primitives::key::{MessageId, request_token};
use jiff::{SignedDuration, Timestamp};

use super::collect::StoredCollection;
use super::message::{IDENTITY, Sending, UNDECIDED, contact_of, identity, sort_key};
use super::{Ledger, MessageRecord, Reported, shard};
use crate::error::StoreError;
use crate::item::{json, millis, number, text, time};
use crate::transaction::{HasTime, Transaction, Written};
pub(crate) use guards::renew;
use guards::{remembered, written};
use verdict::verdict;

/// WhatsApp takes one message every 6 s for a number.
const PAIR_INTERVAL: SignedDuration = SignedDuration::from_secs(6);
/// So far ahead a number's slots may be used up at once: 40 messages. WhatsApp allows 45, but counts from when a call
/// arrives, which is later than its claim.
pub(crate) const PAIR_AHEAD: SignedDuration = SignedDuration::from_secs(39 * 6);

/// What the ledger answers to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The message is ours: the provider may be called, once.
    Ours,
    /// It is not to be sent now: what is known of it.
    Theirs(Box<Reported>),
    /// The recipient opted out: when.
    OptedOut(Timestamp),
    /// The number must not be written to: what is known of it.
    Forbidden(Box<DecisionContext>),
    /// A newer event of the same subject was told: when it happened.
    Superseded(Timestamp),
    /// The same occasion was told before: by which message.
    AlreadyNotified(String),
    /// The recipient withdrew the consent to marketing after the event happened.
    ConsentWithdrawn,
    /// The cart ended, the customer ordered, has a newer one, or was told of one lately: what is known of their carts.
    CartChanged(CartHistory),
    /// The activity is over, or does not have the reminder at that moment any more: by which event.
    ActivityChanged(String),
    /// Another file joined those it tells.
    FileJoined,
    /// The number was just sent other messages: when it has a free slot again.
    PairBusy(Timestamp),
}

/// What a claim is for.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The message.
    pub message: &'a MessageRecord<'a>,
    /// Who claims it: a name never used for another attempt.
    pub owner: &'a str,
    /// What is going to be sent.
    pub sending: Sending<'a>,
    /// The item of the recipient.
    pub person: &'a str,
    /// Whether whoever refused marketing must not get it.
    pub marketing: bool,
    /// Whether its outcome says if a stopped account can send again.
    pub probe: bool,
    /// What it must not overtake or repeat.
    pub guards: &'a Guards,
    /// How long heads and occasions are remembered.
    pub remember_for: SignedDuration,
    /// The files it tells, if there may be more than its own.
    pub files: Option<&'a Files>,
    /// The collection they are from, which ends with the claim.
    pub collection: Option<&'a StoredCollection>,
}

/// The ledger with the table of contacts, which holds what a claim must not overtake, repeat or disregard.
#[derive(Clone, Debug)]
pub struct Claims {
    ledger: Ledger,
    contacts: String,
}

/// What a write of a claim guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarded {
    /// The message itself.
    Message,
    /// The recipient.
    Person,
    /// The recipient's number, with its slot.
    Number,
    /// The newest event told of the subject.
    LatestEvent,
    /// What is told once.
    DedupKey,
    /// The customer's carts.
    Carts,
    /// Those of them that were left with the same number.
    CartsOfNumber,
    /// The cart itself.
    Cart,
    /// The activity of a reminder.
    Activity,
    /// The files told together.
    Collection,
    /// The occasion of another file told with it.
    OtherFile,
}

/// How a number's next slot is moved on, which depends on whether the last one is over.
#[derive(Clone, Copy)]
enum Slot {
    /// It is over: the next one begins now.
    Idle,
    /// It is not, and the burst has room.
    Burst,
}

impl Claims {
    /// The claims of a ledger.
    #[must_use]
    pub fn new(ledger: Ledger, contacts: String) -> Self {
        Self { ledger, contacts }
    }

    /// Claims a message for sending: afterwards it is `sending` and belongs to its owner. While `has_time` says so, a claim
    /// that meets another transaction is tried again, and one whose answer is lost is asked again under the same token:
    /// one owner has one claim, however often it asks. A refused claim renews the head and the occasion it met, past half
    /// of their life.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether the claim was written, and the provider must not be called. The owner's
    /// own record can take the claim back ([`Claims::release`]); without it the sweep finds the message.
    pub async fn claim(
        &self,
        claim: Claim<'_>,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Claimed, StoreError> {
        match self.claim_slot(&claim, Slot::Idle, (now, has_time)).await? {
            Claimed::PairBusy(free_at) if free_at <= now => self.claim_slot(&claim, Slot::Burst, (now, has_time)).await,
            other => Ok(other),
        }
    }

    async fn claim_slot(
        &self,
        claim: &Claim<'_>,
        slot: Slot,
        (now, has_time): (Timestamp, HasTime<'_>),
    ) -> Result<Claimed, StoreError> {
        // The same token makes a try whose answer was lost the same transaction.
        let token = match slot {
            Slot::Idle => request_token(claim.owner),
            Slot::Burst => request_token(&format!("{}/burst", claim.owner)),
        };
        let transaction = self.transaction(claim, slot, now)?;
        let refused = match transaction.write(&self.ledger.client, Some(token), has_time).await? {
            Written::All => return Ok(Claimed::Ours),
            Written::Nothing(refused) => refused,
        };
        let verdict = verdict(claim, &refused, now)?;
        if matches!(verdict, Claimed::AlreadyNotified(_) | Claimed::Superseded(_)) {
            self.renew(claim, &refused, now).await?;
        }
        Ok(verdict)
    }

    /// The writes of a claim.
    fn transaction(&self, claim: &Claim<'_>, slot: Slot, now: Timestamp) -> Result<Transaction<Guarded>, StoreError> {
        let (id, guards) = (claim.message.id(), claim.guards);
        let mut transaction = Transaction::new()
            .with(Guarded::Message, self.claim_message(claim, &id, now)?)
            .with(Guarded::Person, self.check_person(claim)?)
            .with(Guarded::Number, self.take_slot(claim, slot, now)?);
        if let Some(latest) = &guards.latest {
            transaction = transaction.with(Guarded::LatestEvent, self.put_latest(latest, claim, &id, now)?);
        }
        if let Some(dedup_key) = &guards.dedup_key {
            transaction = transaction.with(Guarded::DedupKey, self.put_dedup_key(dedup_key, claim, &id, now)?);
        }
        if let Some(cart) = &guards.cart {
            let [all, of_number] = self.put_cart_notice(cart, &id, now)?;
            transaction = transaction
                .with(Guarded::Carts, all)
                .with(Guarded::CartsOfNumber, of_number)
                .with(Guarded::Cart, self.check_cart(cart)?);
        }
        if let Some(activity) = &guards.activity {
            transaction = transaction.with(Guarded::Activity, self.check_activity(activity, guards.version)?);
        }
        if let Some(collection) = claim.collection {
            transaction = transaction.with(Guarded::Collection, self.ledger.end_collection(collection)?);
        }
        for dedup_key in &guards.other_dedup_keys {
            let put = written(remembered(&self.contacts, dedup_key, claim, &id, now))?;
            transaction = transaction.with(Guarded::OtherFile, put);
        }
        Ok(transaction)
    }

    /// The message: `sending`, its owner's, with what is going to be sent.
    fn claim_message(
        &self,
        claim: &Claim<'_>,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let Claim { message, owner, sending, .. } = claim;
        let (names, values) = identity(message, id, now);
        let (template, language) = sending.template;
        let files = if claim.files.is_some() { ", files = :files" } else { "" };
        let update = Update::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression(format!(
                "SET {IDENTITY}, #owner = :owner, claimed_at = :now, claims = if_not_exists(claims, :zero) + :one, \
                 account = :account, template = :template, #language = :language, phone = :phone, contact = :contact, #text = :text, \
                 open_shard = :open_shard, open_since = :now, #probe = :probe{files} REMOVE answered, answer, waiting"
            ))
            .condition_expression(UNDECIDED)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_names("#language", "language")
            .expression_attribute_names("#probe", "probe")
            .expression_attribute_values(":probe", AttributeValue::Bool(claim.probe))
            .expression_attribute_names("#text", "text")
            .expression_attribute_values(":owner", text(*owner))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":account", text(sending.account))
            .expression_attribute_values(":template", text(template))
            .expression_attribute_values(":language", text(language))
            .expression_attribute_values(":phone", text(sending.phone))
            .expression_attribute_values(":contact", text(contact_of(message.site, sending.contact)))
            .expression_attribute_values(":text", text(sending.text))
            .expression_attribute_values(":open_shard", text(shard(&id.event)));
        let update = match claim.files {
            Some(files) => update.expression_attribute_values(":files", json(files)?),
            None => update,
        };
        let update = update.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The recipient: a recorded opt-out refuses, unless the event itself says something newer. So does a consent that
    /// was withdrawn, of marketing.
    fn check_person(&self, claim: &Claim<'_>) -> Result<TransactWriteItem, StoreError> {
        let Guards { contact_data_as_of, explicit, .. } = claim.guards;
        let mut condition = format!(
            "(attribute_not_exists(whatsapp_opt_out) OR whatsapp_opt_out = :no{})",
            or_older("whatsapp_opt_out", explicit.opt_out)
        );
        if claim.marketing {
            let older = or_older("marketing_consent", explicit.consent);
            condition.push_str(&format!(
                " AND (attribute_not_exists(marketing_consent) OR marketing_consent <> :no{older})"
            ));
        }
        let mut check = ConditionCheck::builder()
            .table_name(&self.contacts)
            .key("pk", text(claim.person))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if condition.contains(":people_as_of") {
            check = check.expression_attribute_values(":people_as_of", time(*contact_data_as_of));
        }
        let check = check.condition_expression(condition);
        let check = check.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// The number: not suppressed, reachable, and with a free slot, which is moved on.
    fn take_slot(&self, claim: &Claim<'_>, slot: Slot, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let later = |by| now.saturating_add(by).unwrap_or(now);
        let mut condition = "attribute_not_exists(#all) \
             AND (attribute_not_exists(unreachable_until) OR unreachable_until <= :now_text)"
            .to_owned();
        let mut update = Update::builder()
            .table_name(&self.contacts)
            .key("pk", text(claim.sending.contact))
            .expression_attribute_names("#all", Scope::All.to_string())
            .expression_attribute_values(":now_text", time(now))
            .expression_attribute_values(":now", millis(now));
        if claim.marketing {
            condition.push_str(
                " AND attribute_not_exists(#marketing) \
                 AND (attribute_not_exists(marketing_consent) OR marketing_consent <> :no)",
            );
            update = update
                .expression_attribute_names("#marketing", Scope::Marketing.to_string())
                .expression_attribute_values(":no", AttributeValue::Bool(false));
        }
        let (set, free) = match slot {
            Slot::Idle => {
                update = update.expression_attribute_values(":next", millis(later(PAIR_INTERVAL)));
                ("SET next_slot = :next", "(attribute_not_exists(next_slot) OR next_slot <= :now)")
            }
            Slot::Burst => {
                update = update
                    .expression_attribute_values(":interval", number(PAIR_INTERVAL.as_millis()))
                    .expression_attribute_values(":ahead", millis(later(PAIR_AHEAD)));
                ("SET next_slot = next_slot + :interval", "next_slot > :now AND next_slot <= :ahead")
            }
        };
        let update = update
            .update_expression(set)
            .condition_expression(format!("{condition} AND {free}"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = update.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// The part of a condition by which what the event says counts more than an older record.
fn or_older(name: &str, event_says: bool) -> String {
    if !event_says {
        return String::new();
    }
    // Items of older versions have one moment for all they hold.
    format!(" OR {name}_at < :people_as_of OR (attribute_not_exists({name}_at) AND occurred_at < :people_as_of)")
}
