//! The recipient of a claim: a recorded opt-out or refusal of marketing.
//!
//! The recipient's item is read before the claim and again between the claim and the call. The second read respects a
//! refusal however shortly before the call it was recorded. A check in the transaction would respect only those before
//! the claim. It would cost two write units, which is the price of ten reads.

use domain::decision::guards::Guards;
use jiff::Timestamp;

use super::{Claim, Claimed, Claims};
use crate::contacts::{flag, opted_out};
use crate::error::StoreError;
use crate::item::{Item, Reading, text};

impl Claims {
    /// Returns why the recipient must not get the message; `None` if nothing forbids it.
    ///
    /// A recorded opt-out forbids it, unless the event states a newer explicit preference. For a marketing message, the
    /// same applies to a recorded refusal of marketing.
    ///
    /// # Errors
    /// [`StoreError`]. It is then unknown whether the message is permitted, and the provider must not be called.
    pub async fn refused_by_person(&self, claim: &Claim<'_>) -> Result<Option<Claimed>, StoreError> {
        let request = self.ledger.client.get_item().table_name(&self.contacts).consistent_read(true);
        let item = request.key("pk", text(claim.person)).send().await?.item;
        item.as_ref().map_or(Ok(None), |item| refusal(item, claim.guards, claim.marketing))
    }
}

fn refusal(item: &Item, guards: &Guards, marketing: bool) -> Result<Option<Claimed>, StoreError> {
    let Guards { contact_data_as_of, explicit, .. } = guards;
    let applies = |name: &str, is_explicit: bool| {
        Ok::<_, StoreError>(!is_explicit || !is_older(item, name, *contact_data_as_of)?)
    };
    if let Some(at) = opted_out(&Reading::of(item))?
        && applies("whatsapp_opt_out", explicit.opt_out)?
    {
        return Ok(Some(Claimed::OptedOut(at)));
    }
    let refuses_marketing = marketing && flag(item, "marketing_consent") == Some(false);
    Ok((refuses_marketing && applies("marketing_consent", explicit.consent)?).then_some(Claimed::ConsentWithdrawn))
}

/// Whether a preference was recorded before `as_of`. Items of older versions have one time for all attributes.
fn is_older(item: &Item, name: &str, as_of: Timestamp) -> Result<bool, StoreError> {
    let reading = Reading::of(item);
    let at = reading.time(&format!("{name}_at"))?;
    let at = at.map_or_else(|| reading.time("occurred_at"), |at| Ok(Some(at)))?;
    Ok(at.is_some_and(|at| at < as_of))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use domain::decision::guards::ExplicitPreferences;
    use domain::event::EventVersion;

    use super::*;
    use crate::item::time;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    /// A person's item of 10:30 with a preference.
    fn item(name: &str, value: bool, time_of: &str) -> Item {
        Item::from([(name.to_owned(), AttributeValue::Bool(value)), (time_of.to_owned(), time(at(30)))])
    }

    fn refused(item: &Item, as_of: u8, is_explicit: bool, marketing: bool) -> Option<Claimed> {
        let version = EventVersion { version: None, occurred_at: at(as_of), received_at: at(as_of) };
        let guards = Guards {
            version,
            latest: None,
            dedup_key: None,
            other_dedup_keys: Vec::new(),
            cart: None,
            activity: None,
            contact_data_as_of: at(as_of),
            explicit: ExplicitPreferences { opt_out: is_explicit, consent: is_explicit },
        };
        refusal(item, &guards, marketing).unwrap()
    }

    #[test]
    fn only_a_newer_explicit_preference_overrides_a_recorded_opt_out() {
        for time_of in ["whatsapp_opt_out_at", "occurred_at"] {
            let opted_out = item("whatsapp_opt_out", true, time_of);
            assert_eq!(refused(&opted_out, 45, false, false), Some(Claimed::OptedOut(at(30))), "{time_of}");
            assert_eq!(refused(&opted_out, 30, true, false), Some(Claimed::OptedOut(at(30))), "{time_of}");
            assert_eq!(refused(&opted_out, 31, true, false), None, "{time_of}");
        }
        assert_eq!(refused(&item("whatsapp_opt_out", false, "whatsapp_opt_out_at"), 45, false, true), None);
    }

    #[test]
    fn a_refusal_of_marketing_forbids_marketing_only() {
        let refuses = item("marketing_consent", false, "marketing_consent_at");
        assert_eq!(refused(&refuses, 45, false, true), Some(Claimed::ConsentWithdrawn));
        assert_eq!(refused(&refuses, 30, true, true), Some(Claimed::ConsentWithdrawn));
        assert_eq!(refused(&refuses, 31, true, true), None);
        assert_eq!(refused(&refuses, 45, false, false), None);
        assert_eq!(refused(&item("marketing_consent", true, "marketing_consent_at"), 45, false, true), None);
    }

    #[test]
    fn a_time_that_cannot_be_read_forbids_the_message() {
        let mut broken = item("whatsapp_opt_out", true, "occurred_at");
        broken.insert("whatsapp_opt_out_at".to_owned(), text("yesterday"));
        assert!(opted_out(&Reading::of(&broken)).is_err());
        assert!(is_older(&broken, "whatsapp_opt_out", at(45)).is_err());
    }
}
