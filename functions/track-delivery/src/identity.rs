//! Identities: the numbers of a site to which an id of WhatsApp refers.

use domain::primitives::id::SiteId;
use domain::primitives::key::ContactSecret;
use domain::primitives::phone::{Country, Phone};
use runtime::failure::Failure;
use store::contacts::Choice;

use crate::App;

/// Maximum number of written aliases that a process remembers.
const REMEMBERED_MAX: usize = 10_000;

/// A person at a site or at a sender number, under pseudonyms.
pub(crate) struct Identity {
    /// The site. `None` for a sender number, independent of the site that uses it.
    site: Option<SiteId>,
    alias: String,
    contacts: Vec<String>,
}

impl Identity {
    /// Finds the numbers of an id: the id itself if it is a number, and the numbers recorded for it. WhatsApp writes
    /// some numbers differently from how they are dialled, so a numeric id may also refer to other numbers.
    pub(crate) async fn of(app: &App, secret: &ContactSecret, site: &SiteId, id: &str) -> Result<Self, Failure> {
        let alias = secret.alias_key(site, id);
        let mut contacts = app.contacts.alias(&alias).await?;
        let own = phone_of(id).map(|phone| secret.contact_key(site, &phone));
        contacts.extend(own.filter(|own| !contacts.contains(own)));
        Ok(Self { site: Some(site.clone()), alias, contacts })
    }

    /// Finds a person at a sender number, by the numbers found for the id at its sites and by the id itself.
    pub(crate) async fn at_sender(
        app: &App,
        secret: &ContactSecret,
        phone_number_id: &str,
        id: &str,
        at_sites: &[Self],
    ) -> Result<Self, Failure> {
        let own = phone_of(id);
        let mut phones: Vec<Phone> = own.iter().cloned().collect();
        for identity in at_sites {
            let Some(site) = &identity.site else { continue };
            let own = own.as_ref().map(|phone| secret.contact_key(site, phone));
            for contact in identity.contacts.iter().filter(|contact| own.as_ref() != Some(contact)) {
                phones.extend(app.ledger.phone_of_contact(site, contact).await?);
            }
        }
        let mut contacts: Vec<String> =
            phones.iter().map(|phone| secret.sender_contact_key(phone_number_id, phone)).collect();
        contacts.sort_unstable();
        contacts.dedup();
        Ok(Self { site: None, alias: secret.sender_alias_key(phone_number_id, id), contacts })
    }

    /// Whether no number is known.
    pub(crate) fn is_unknown(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Records a choice for every number and for the id itself. A number found later takes the choice over from the
    /// id.
    pub(crate) async fn choose(&self, app: &App, choice: &Choice) -> Result<(), Failure> {
        app.contacts.choose(None, &self.alias, choice).await?;
        for contact in &self.contacts {
            app.contacts.choose(self.site.as_ref(), contact, choice).await?;
        }
        Ok(())
    }

    /// Returns the keys that hold suppressions: the id and its numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.contacts.iter().chain([&self.alias]).map(String::as_str)
    }
}

/// Parses an id as a phone number. `None` for a business-scoped user id, and for digits that no numbering plan
/// contains.
fn phone_of(id: &str) -> Option<Phone> {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Phone::parse(&format!("+{id}"), Country::ITALY).ok()).flatten()
}

/// Records the ids that refer to the number of a site's message, which was sent from a sender number. An id equal to
/// the dialled number is skipped. Each other id is written once per process, so that a status costs no second write.
pub(crate) async fn learn(
    app: &App,
    (site, phone_number_id): (&SiteId, &str),
    contact: &str,
    ids: &[String],
) -> Result<(), Failure> {
    let ids: Vec<&String> = ids.iter().filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    for id in ids {
        if phone_of(id).is_some_and(|phone| secret.contact_key(site, &phone) == contact) {
            continue;
        }
        let alias = secret.alias_key(site, id);
        let pair = format!("{alias}={contact}");
        if app.aliases.lock().is_ok_and(|known| known.contains(&pair)) {
            continue;
        }
        app.contacts.put_alias(site, &alias, contact).await?;
        if app.came_later(site, phone_number_id).await? {
            app.contacts.take_over(&secret.sender_alias_key(phone_number_id, id), site, contact).await?;
        }
        if let Ok(mut known) = app.aliases.lock() {
            if known.len() >= REMEMBERED_MAX {
                known.clear();
            }
            known.insert(pair);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_of_a_valid_number_are_read_as_a_phone() {
        assert_eq!(phone_of("393401234567").map(String::from).as_deref(), Some("+393401234567"));
        for id in ["", "IT.a1b2", "12", "+393401234567", "39340 1234567"] {
            assert_eq!(phone_of(id), None, "{id}");
        }
    }
}
