//! A message's item, as its facts.

use std::collections::BTreeMap;

use domain::message::state::{Answer, Claim, Facts, Status, StatusFact};
use domain::primitives::id::SiteId;
use domain::primitives::key::MessageId;

use crate::contacts::flag;
use crate::error::StoreError;
use crate::item::{Item, Reading};

/// The longest provider's id that is indexed. Real ids have about 60 bytes, and a key may have 2,048. A longer id is
/// kept in the answer only.
const PROVIDER_ID_BYTES_MAX: usize = 512;
pub(super) const NOT_ACCEPTED: &str = "not_accepted";
pub(super) const UNKNOWN: &str = "unknown";

/// A message with the values of the send that its claim recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The recorded facts.
    pub facts: Facts,
    /// The pseudonym of the recipient's number.
    pub contact: Option<String>,
    /// The account that sent the message.
    pub account: Option<String>,
    /// The template's name and language.
    pub template: Option<(String, String)>,
    /// Whether the message is a probe of a stopped account.
    pub probe: bool,
    /// Whether the sweep looks for the end of the message's claim.
    pub is_open: bool,
}

pub(super) fn sort_key(id: &MessageId) -> String {
    format!("M#{}", id.message)
}

pub(super) fn answer_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "accepted",
        Answer::Refused { .. } => "refused",
        Answer::NotAccepted { .. } => NOT_ACCEPTED,
        Answer::Unknown { .. } => UNKNOWN,
    }
}

/// Reads the facts of a message.
pub(super) fn facts(item: &Item) -> Result<Facts, StoreError> {
    let reading = Reading::of(item);
    let claim = match (reading.text("owner")?, reading.time("claimed_at")?) {
        (Some(owner), Some(at)) => {
            Some(Claim { owner: owner.to_owned(), at, attempt: reading.number("claims")?.unwrap_or(1) })
        }
        _ => None,
    };
    Ok(Facts {
        skipped: reading.json("skipped")?,
        claim,
        answer: reading.json("answer")?,
        statuses: statuses(&reading)?,
        waiting: reading.json("waiting")?,
        resolved: reading.json("resolved")?,
        files: reading.json("files")?,
    })
}

/// The attribute of a status. Each status has its own, so that statuses are written once and in any order.
pub(super) fn status_attribute(status: Status) -> &'static str {
    match status {
        Status::Sent => "status_sent",
        Status::Delivered => "status_delivered",
        Status::Read => "status_read",
        Status::Failed => "status_failed",
    }
}

pub(super) const STATUSES: [Status; 4] = [Status::Sent, Status::Delivered, Status::Read, Status::Failed];

fn statuses(reading: &Reading<'_>) -> Result<BTreeMap<Status, StatusFact>, StoreError> {
    let mut statuses = BTreeMap::new();
    for status in STATUSES {
        if let Some(fact) = reading.json(status_attribute(status))? {
            statuses.insert(status, fact);
        }
    }
    Ok(statuses)
}

pub(super) fn reported(item: &Item) -> Result<Reported, StoreError> {
    let reading = Reading::of(item);
    let owned = |name: &str| Ok::<_, StoreError>(reading.text(name)?.map(str::to_owned));
    // The attribute contains the site before the pseudonym.
    let contact = reading.text("contact")?.and_then(|contact| contact.split_once('#'));
    Ok(Reported {
        facts: facts(item)?,
        contact: contact.map(|(_, pseudonym)| pseudonym.to_owned()),
        account: owned("account")?,
        template: owned("template")?.zip(owned("language")?),
        probe: flag(item, "probe") == Some(true),
        is_open: item.contains_key("open_since"),
    })
}

/// The key of a provider's id in `by_provider_id`; `None` if the id is too long for an index.
pub(super) fn provider_key(site: &SiteId, provider_id: &str) -> Option<String> {
    (provider_id.len() <= PROVIDER_ID_BYTES_MAX).then(|| format!("{site}#{provider_id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_id_that_no_index_takes_has_no_key() {
        let site = SiteId::parse("demo").unwrap();
        let key = |bytes: usize| provider_key(&site, &"w".repeat(bytes)).map(|key| key.len());
        assert_eq!((key(60), key(512), key(513), key(3_000)), (Some(65), Some(517), None, None));
    }
}
