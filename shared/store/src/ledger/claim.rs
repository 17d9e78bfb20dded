//! The claim: one transaction over the message and everything that may forbid sending it.
//!
//! | item | table | the claim is refused if |
//! |---|---|---|
//! | message | `Ledger` | it is claimed or decided, has a status, or a newer record of it is in flight |
//! | number | `Contacts` | it is suppressed, unreachable or has no free slot (1, 2) |
//! | latest-event item | `Contacts` | a newer event of the subject was claimed (3) |
//! | dedup key | `Contacts` | another message claimed the same state, actor or reminder (3) |
//! | customer's carts | `Contacts` | the customer ordered, has a newer cart or received a cart notice (4) |
//! | carts of the number | `Contacts` | the same, if only the number identifies a guest (4) |
//! | cart | `Contacts` | it was emptied or resumed since it was left |
//! | activity | `Contacts` | it is over or no longer has the reminder (5) |
//! | collection | `Ledger` | another file joined it since it was read |
//! | dedup keys of the other files | `Contacts` | never: they are only written |
//!
//! 1. For a marketing message, also if the number refused marketing.
//! 2. A number takes one message every 6 s, and at most 40 in a burst.
//! 3. For the same mapping and recipient.
//! 4. A cart notice of the same mapping counts if it was sent within the last day, or since the cart was left. If an
//!    operator requested the notice, only an order refuses the claim.
//! 5. A reminder raised by Passweb is refused only by a newer event that ends the activity or changes its start.
//!
//! The recipient is not in the transaction. [`Claims::refused_by_person`] reads the recipient before the claim and
//! after it.
//!
//! The latest-event item, the dedup key and the cart notice name the message that wrote them. The next attempt of the
//! same message therefore passes.
//!
//! The owner of a claim is one attempt to send one message. A claim is never taken over. [`Claims::release`] takes back
//! a claim whose owner certainly did not call the provider. Only the record that the owner itself put back proves this.

mod carts;
mod give_back;
mod guards;
mod person;
mod release;
mod verdict;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::decision::cart::CartHistory;
use domain::decision::guards::Guards;
use domain::message::file_list::Files;
use domain::message::suppression::{ContactData, Scope};
use domain::primitives::key::MessageId;
use jiff::{SignedDuration, Timestamp};

use super::collect::StoredCollection;
use super::facts::sort_key;
use super::message::{IDENTITY, Sending, UNDECIDED, contact_of, identity};
use super::{Ledger, MessageRecord, Reported};
use crate::contacts::{PAIR_AHEAD, PAIR_INTERVAL};
use crate::error::StoreError;
use crate::item::{json, millis, number, text, time};
use crate::transact::{HasTime, Transaction, Written, request_token};
use guards::{remembered, written};
use verdict::verdict;

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The caller owns the message and may call the provider once.
    Ours,
    /// The message must not be sent now. Contains the recorded facts.
    Theirs(Box<Reported>),
    /// The recipient opted out at this time.
    OptedOut(Timestamp),
    /// The number is suppressed or unreachable. Contains its contact data.
    Forbidden(Box<ContactData>),
    /// A newer event of the same subject was claimed. Contains the time it occurred.
    Superseded(Timestamp),
    /// Another message was already claimed under the same dedup key. Contains its id.
    AlreadyNotified(String),
    /// The recipient refused marketing, and the event states no newer consent.
    ConsentWithdrawn,
    /// The cart ended, or the customer ordered, has a newer cart or recently received a cart notice. Contains the state
    /// of the customer's carts.
    CartChanged(CartHistory),
    /// The activity is over, or no longer has the reminder in this form. Contains the id of the event that changed it.
    ActivityChanged(String),
    /// Another file joined the collection.
    FileJoined,
    /// The number has no free slot, because it was just sent other messages. Contains the time of the next free slot.
    PairBusy(Timestamp),
}

/// A request to claim a message.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The message.
    pub message: &'a MessageRecord<'a>,
    /// The owner: a name that is unique to the attempt.
    pub owner: &'a str,
    /// The values of the send to record with the claim.
    pub sending: Sending<'a>,
    /// The key of the recipient's item in `Contacts`.
    pub person: &'a str,
    /// Whether a refusal of marketing forbids the message.
    pub marketing: bool,
    /// Whether the message is a probe: its outcome shows whether a stopped account can send again.
    pub probe: bool,
    /// The items to check and write with the claim.
    pub guards: &'a Guards,
    /// How long latest-event items and dedup keys are kept.
    pub remember_for: SignedDuration,
    /// The files that the message covers, if there may be more than its own.
    pub files: Option<&'a Files>,
    /// The collection that the files come from. The claim ends it.
    pub collection: Option<&'a StoredCollection>,
}

/// The ledger together with the `Contacts` table, which contains most items that a claim checks.
#[derive(Clone, Debug)]
pub struct Claims {
    ledger: Ledger,
    contacts: String,
}

/// The item that one write of a claim guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarded {
    /// The message itself.
    Message,
    /// The recipient's number with its slot.
    Number,
    /// The latest-event item of the subject.
    LatestEvent,
    /// The dedup key.
    DedupKey,
    /// The customer's carts.
    Carts,
    /// The customer's carts that were left with the same number.
    CartsOfNumber,
    /// The cart itself.
    Cart,
    /// The activity of a reminder.
    Activity,
    /// The collection of files.
    Collection,
    /// The dedup key of another file in the same message.
    OtherFile,
}

/// How the next slot of a number advances.
#[derive(Clone, Copy)]
enum Slot {
    /// The last slot has passed: the next one starts now.
    Idle,
    /// The last slot lies ahead, and the burst still has room.
    Burst,
}

impl Claims {
    /// Creates the claims of a ledger; `contacts` is the name of the `Contacts` table.
    #[must_use]
    pub fn new(ledger: Ledger, contacts: String) -> Self {
        Self { ledger, contacts }
    }

    /// Claims a message for sending. Afterwards it is `sending` and belongs to its owner. The owner must ask
    /// [`Claims::refused_by_person`] once more before it calls the provider.
    ///
    /// While `has_time` returns true, a claim is retried if it conflicts with another transaction or if its response is
    /// lost. A retry after a lost response uses the same idempotency token, so an owner has at most one claim.
    ///
    /// A claim may be refused as already notified or superseded. It then extends the expiry of the latest-event item
    /// and the dedup key, if they are past half of their lifetime.
    ///
    /// # Errors
    /// [`StoreError`]. After an error it is unknown whether the claim was written, and the provider must not be called.
    /// The owner's own record can take the claim back with [`Claims::release`]. Otherwise the next record that meets the
    /// message hands it to the sweep ([`Ledger::open`]).
    pub async fn claim(
        &self,
        claim: Claim<'_>,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Claimed, StoreError> {
        if let Some(refused) = self.refused_by_person(&claim).await? {
            return Ok(refused);
        }
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
        // The same token makes a retry after a lost response part of the same transaction.
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

    /// Builds the transaction of a claim.
    fn transaction(&self, claim: &Claim<'_>, slot: Slot, now: Timestamp) -> Result<Transaction<Guarded>, StoreError> {
        let (id, guards) = (claim.message.id(), claim.guards);
        let mut transaction = Transaction::new()
            .with(Guarded::Message, self.claim_message(claim, &id, now)?)
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

    /// The write to the message: state `sending`, its owner and the values of the send.
    ///
    /// The message is not listed for the sweep. The queue keeps the record of an owner that stopped and delivers it
    /// again, and that record lists the message ([`Ledger::open`]).
    fn claim_message(
        &self,
        claim: &Claim<'_>,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let Claim { message, owner, sending, .. } = claim;
        let (names, values) = identity(message, now);
        let (template, language) = sending.template;
        let files = if claim.files.is_some() { ", files = :files" } else { "" };
        let update = Update::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression(format!(
                "SET {IDENTITY}, #owner = :owner, claimed_at = :now, claims = if_not_exists(claims, :zero) + :one, \
                 account = :account, template = :template, #language = :language, phone = :phone, contact = :contact, #text = :text, \
                 #probe = :probe{files} REMOVE answered, answer, waiting"
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
            .expression_attribute_values(":contact", text(contact_of(&message.job.site, sending.contact)))
            .expression_attribute_values(":text", text(sending.text));
        let update = match claim.files {
            Some(files) => update.expression_attribute_values(":files", json(files)?),
            None => update,
        };
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The write to the number. It must not be suppressed or unreachable and must have a free slot, which advances.
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
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
