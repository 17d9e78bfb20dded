//! The claim: one transaction over the message and what it must not overtake, repeat or disregard.
//!
//! | item | table | refuses when |
//! |---|---|---|
//! | the message | `Ledger` | anything is decided of it, or a newer record of it is on its way |
//! | the person | `Contacts` | they opted out, and the event says nothing newer |
//! | the number | `Contacts` | it is suppressed or unreachable, or has no free slot: one message every 6 s, 40 at once |
//! | the subject's head | `Contacts` | a newer event of the subject was claimed for the same mapping and recipient |
//! | the occasion | `Contacts` | the same state, or the same actor, was told before |
//! | the customer's carts | `Contacts` | the customer ordered, has a newer cart, or was told of one within the last day or since it was left; where a person asks for the notice, only if the customer ordered |
//! | the cart | `Contacts` | it was emptied, or the customer came back to it |
//! | the activity | `Contacts` | it is over, or does not have its reminder at that moment any more; of a reminder that Passweb raised, by something newer |
//! | the files it tells | `Ledger` | another file joined them |
//!
//! Head, occasion and carts belong to the message that wrote them, so that its own next attempt passes.

mod guards;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::cart::CartHead;
use domain::contact::{Known, Scope};
use domain::files::Files;
use domain::key::{MessageId, request_token};
use domain::message::Facts;
use domain::occasion::{CartGuard, Guards};
use jiff::{SignedDuration, Timestamp};

use super::collect::StoredCollection;
use super::message::{IDENTITY, Sending, UNDECIDED, conditional, contact_of, facts, identity, sort_key};
use super::{Ledger, MessageRecord, shard};
use crate::contacts::{cart_head, of_number, opted_out};
use crate::error::StoreError;
use crate::item::{Reading, json, millis, number, text, time};
use guards::{remembered, written};

/// WhatsApp takes one message every 6 s for a number.
const PAIR_INTERVAL: SignedDuration = SignedDuration::from_secs(6);
/// So far ahead a number's slots may be used up at once: 40 messages. WhatsApp allows 45, but counts from when a call
/// arrives, which is later than its claim.
pub(crate) const PAIR_AHEAD: SignedDuration = SignedDuration::from_secs(39 * 6);
/// Tries of a transaction that met another one on one of its items.
pub(super) const CONFLICT_TRIES: u32 = 4;

/// What the ledger answers to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The message is ours: the provider may be called, once.
    Ours,
    /// It is not to be sent now: what is known of it.
    Theirs(Facts),
    /// The recipient opted out: when.
    OptedOut(Timestamp),
    /// The number must not be written to: what is known of it.
    Forbidden(Known),
    /// A newer event of the same subject was told: when it happened.
    Superseded(Timestamp),
    /// The same occasion was told before: by which message.
    AlreadyNotified(String),
    /// The recipient withdrew the consent to marketing after the event happened.
    ConsentWithdrawn,
    /// The cart ended, the customer ordered, has a newer one, or was told of one lately: what is known of their carts.
    CartChanged(CartHead),
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

    /// Claims a message for sending: afterwards it is `sending` and belongs to its owner.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether the claim was written, and the provider must not be called. The sweep
    /// finds it.
    pub async fn claim(&self, claim: Claim<'_>, now: Timestamp) -> Result<Claimed, StoreError> {
        match self.claim_slot(&claim, Slot::Idle, now).await? {
            Claimed::PairBusy(free_at) if free_at <= now => self.claim_slot(&claim, Slot::Burst, now).await,
            other => Ok(other),
        }
    }

    async fn claim_slot(&self, claim: &Claim<'_>, slot: Slot, now: Timestamp) -> Result<Claimed, StoreError> {
        let id = claim.message.id();
        let mut writes =
            vec![self.claim_message(claim, &id, now)?, self.check_person(claim)?, self.take_slot(claim, slot, now)?];
        if let Some(head) = &claim.guards.head {
            writes.push(self.put_head(head, claim, &id, now)?);
        }
        if let Some(occasion) = &claim.guards.occasion {
            writes.push(self.put_occasion(occasion, claim, &id, now)?);
        }
        if let Some(cart) = &claim.guards.cart {
            writes.push(self.put_cart_notice(cart, &id, now)?);
            writes.push(self.check_cart(cart)?);
        }
        if let Some(activity) = &claim.guards.activity {
            writes.push(self.check_activity(activity, claim.guards.moment)?);
        }
        if let Some(collection) = claim.collection {
            writes.push(self.ledger.end_collection(collection)?);
        }
        for occasion in &claim.guards.occasions_besides {
            writes.push(written(remembered(&self.contacts, occasion, claim.owner, &id, now))?);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            // The same token makes a try whose answer was lost the same transaction.
            let token = match slot {
                Slot::Idle => request_token(claim.owner),
                Slot::Burst => request_token(&format!("{}/burst", claim.owner)),
            };
            let request = self.ledger.client.transact_write_items().client_request_token(token);
            let Err(error) = request.set_transact_items(Some(writes.clone())).send().await else {
                return Ok(Claimed::Ours);
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    if let Some(verdict) = verdict(claim, reasons, now)? {
                        return Ok(verdict);
                    }
                    // Two messages to one number, or of one subject, at the same moment: DynamoDB refuses one of them.
                    let met = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
                    if !met || tries >= CONFLICT_TRIES {
                        return Err(error.into());
                    }
                }
                _ => return Err(error.into()),
            }
        }
    }

    /// Gives an occasion back that a claim took for a message which surely was not accepted: nobody was told, so another
    /// event may tell it, and the message itself takes it again with its next claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back(&self, guards: &Guards, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        self.give_back_notice(guards, id).await?;
        for occasion in guards.occasion.iter().chain(&guards.occasions_besides) {
            self.forget_occasion(occasion, id, owner).await?;
        }
        Ok(())
    }

    /// Gives the notice of a cart back that a claim took for a message which nobody got: the next cart may be told within
    /// a day, and this one, if it is tried again, is due as it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back_notice(&self, guards: &Guards, id: &MessageId) -> Result<(), StoreError> {
        let Some(CartGuard { key, asked, .. }) = &guards.cart else { return Ok(()) };
        let of_notice = |expression: &str, condition: &str| {
            let request = self.ledger.client.update_item().table_name(&self.contacts).key("pk", text(key));
            request
                .update_expression(expression)
                .condition_expression(format!("notified_by = :message{condition}"))
                .expression_attribute_values(":message", text(id.to_string()))
        };
        if !*asked {
            // A row that began since stays as it is.
            let expression = "SET first_left = if_not_exists(first_left, first_before) REMOVE notified_at, notified_by, first_before";
            conditional(of_notice(expression, "")).await?;
            return Ok(());
        }
        // That the customer was told before a person asked for another notice stays true.
        let expression =
            "SET notified_at = told_before, notified_by = told_before_by REMOVE told_before, told_before_by";
        let before = of_notice(expression, " AND told_before <> :none").expression_attribute_values(":none", text(""));
        if conditional(before).await?.is_some() {
            let expression = "REMOVE notified_at, notified_by, told_before, told_before_by";
            conditional(of_notice(expression, "")).await?;
        }
        Ok(())
    }

    async fn forget_occasion(&self, occasion: &str, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(occasion));
        // A later claim of the same message may have taken it again, and been accepted.
        let request = request.condition_expression("message = :message AND #owner = :owner");
        let request =
            request.expression_attribute_names("#owner", "owner").expression_attribute_values(":owner", text(owner));
        match request.expression_attribute_values(":message", text(id.to_string())).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It belongs to another message by now, or to none.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
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
        let Guards { people_as_of, says, .. } = claim.guards;
        let mut condition = format!(
            "(attribute_not_exists(whatsapp_opt_out) OR whatsapp_opt_out = :no{})",
            or_older("whatsapp_opt_out", says.opt_out)
        );
        if claim.marketing {
            let older = or_older("marketing_consent", says.consent);
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
            check = check.expression_attribute_values(":people_as_of", time(*people_as_of));
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

/// What a cancelled transaction says; `None` if it was cancelled for no condition of ours. The order is that of the
/// decision: what forbids comes before what was told already, and that before the pace.
fn verdict(claim: &Claim<'_>, reasons: &[CancellationReason], now: Timestamp) -> Result<Option<Claimed>, StoreError> {
    let mut reasons = reasons.iter();
    let mut refusal = || {
        let reason = reasons.next()?;
        (reason.code() == Some("ConditionalCheckFailed")).then(|| reason.item().cloned().unwrap_or_default())
    };
    let (message, person, number) = (refusal(), refusal(), refusal());
    let head = claim.guards.head.as_ref().and_then(|_| refusal());
    let occasion = claim.guards.occasion.as_ref().and_then(|_| refusal());
    let cart = claim.guards.cart.as_ref().and_then(|_| refusal());
    let ended = claim.guards.cart.as_ref().and_then(|_| refusal());
    let activity = claim.guards.activity.as_ref().and_then(|_| refusal());
    let collection = claim.collection.and_then(|_| refusal());
    if let Some(old) = message {
        let facts = facts(&old)?;
        // The write went through and its answer was lost on the way: a second try meets ourselves.
        let ours = facts.claim.as_ref().is_some_and(|own| own.owner == claim.owner) && facts.answer.is_none();
        return Ok(Some(if ours { Claimed::Ours } else { Claimed::Theirs(facts) }));
    }
    if let Some(old) = person {
        let Guards { people_as_of, says, .. } = claim.guards;
        let opted_out = opted_out(&Reading::of(&old))?;
        return Ok(Some(match opted_out.filter(|at| !says.opt_out || at >= people_as_of) {
            Some(at) => Claimed::OptedOut(at),
            None => Claimed::ConsentWithdrawn,
        }));
    }
    let number = number.as_ref().map(Reading::of);
    if let Some(reading) = &number {
        let known = of_number(reading)?;
        let refused = known.suppression(Scope::All).is_some()
            || known.unreachable_until.is_some_and(|until| until > now)
            || (claim.marketing && known.suppression(Scope::Marketing).is_some());
        if refused {
            return Ok(Some(Claimed::Forbidden(known)));
        }
        if claim.marketing && known.marketing_consent == Some(false) {
            return Ok(Some(Claimed::ConsentWithdrawn));
        }
    }
    if let Some(old) = head {
        return Ok(Some(Claimed::Superseded(Reading::of(&old).time("occurred_at")?.unwrap_or_default())));
    }
    if let Some(old) = occasion {
        return Ok(Some(Claimed::AlreadyNotified(Reading::of(&old).required("message")?.to_owned())));
    }
    if cart.is_some() || ended.is_some() {
        return Ok(Some(Claimed::CartChanged(cart_head(cart.as_ref(), ended.as_ref())?)));
    }
    if let Some(old) = activity {
        return Ok(Some(Claimed::ActivityChanged(Reading::of(&old).required("event_id")?.to_owned())));
    }
    if collection.is_some() {
        return Ok(Some(Claimed::FileJoined));
    }
    let Some(reading) = number else { return Ok(None) };
    let next_slot = reading.millis("next_slot")?.unwrap_or(now);
    Ok(Some(Claimed::PairBusy(next_slot.saturating_sub(PAIR_AHEAD).unwrap_or(now))))
}
