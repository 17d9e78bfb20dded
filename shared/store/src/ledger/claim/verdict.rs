//! The reason why a claim was refused.

use domain::message::suppression::Scope;
use jiff::Timestamp;

use super::super::facts::reported;
use super::{Claim, Claimed, Guarded};
use crate::contacts::PAIR_AHEAD;
use crate::contacts::{CartItems, of_number};
use crate::error::StoreError;
use crate::item::Reading;
use crate::transact::Refused;

/// Determines the result of a refused claim. Several conditions may have failed, and the order is that of the decision:
/// prohibitions first, then earlier notifications, then the pace.
pub(super) fn verdict(claim: &Claim<'_>, refused: &Refused<Guarded>, now: Timestamp) -> Result<Claimed, StoreError> {
    if let Some(old) = refused.by(Guarded::Message) {
        let old = reported(old)?;
        // The write succeeded but its response was lost: the retry meets its own claim.
        let is_own = old.facts.claim.as_ref().is_some_and(|own| own.owner == claim.owner);
        let is_ours = is_own && old.facts.answer.is_none();
        return Ok(if is_ours { Claimed::Ours } else { Claimed::Theirs(Box::new(old)) });
    }
    let number = refused.by(Guarded::Number).map(Reading::of);
    if let Some(reading) = &number {
        let known = of_number(reading)?;
        let refused = known.suppression(Scope::All).is_some()
            || known.unreachable_until.is_some_and(|until| until > now)
            || (claim.marketing && known.suppression(Scope::Marketing).is_some());
        if refused {
            return Ok(Claimed::Forbidden(Box::new(known)));
        }
        if claim.marketing && known.marketing_consent == Some(false) {
            return Ok(Claimed::ConsentWithdrawn);
        }
    }
    if let Some(old) = refused.by(Guarded::LatestEvent) {
        return Ok(Claimed::Superseded(Reading::of(old).time("occurred_at")?.unwrap_or_default()));
    }
    if let Some(old) = refused.by(Guarded::DedupKey) {
        return Ok(Claimed::AlreadyNotified(Reading::of(old).required("message")?.to_owned()));
    }
    if let Some(guard) = &claim.guards.cart {
        let items = [Guarded::Carts, Guarded::CartsOfNumber, Guarded::Cart].map(|guarded| refused.by(guarded));
        if items.iter().any(Option::is_some) {
            let [all, of_number, ended] = items;
            let history = CartItems { all, of_number, ended }.history(guard.keys.by_number, &guard.mapping)?;
            return Ok(Claimed::CartChanged(history));
        }
    }
    if let Some(old) = refused.by(Guarded::Activity) {
        return Ok(Claimed::ActivityChanged(Reading::of(old).required("event_id")?.to_owned()));
    }
    if refused.by(Guarded::Collection).is_some() {
        return Ok(Claimed::FileJoined);
    }
    let Some(reading) = number else {
        return Err(StoreError::malformed(&claim.message.id().to_string(), "was refused for nothing that is known"));
    };
    let next_slot = reading.millis("next_slot")?.unwrap_or(now);
    Ok(Claimed::PairBusy(next_slot.saturating_sub(PAIR_AHEAD).unwrap_or(now)))
}
