//! Choices of people: the words STOP and START, WhatsApp's own control for offers, and a changed number.

use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::id::SiteId;
use domain::primitives::key::ContactSecret;
use domain::queue::platform_event::{Preference, Word};
use jiff::Timestamp;
use runtime::failure::Failure;
use store::contacts::Choice;

use crate::App;
use crate::identity::Identity;

/// Returns the choice that a word expresses. It applies to every message.
pub(crate) fn of_word(word: Word, at: Timestamp) -> Choice {
    let (scope, source) = (Scope::All, Source::Stop);
    match word {
        Word::Stop => Choice::Out(Suppression { scope, source, since: at, reason: String::new() }),
        Word::Start => Choice::In { scope, source, at },
    }
}

/// Returns the choice made in WhatsApp's control. It applies to marketing only.
pub(crate) fn of_preference(value: Preference, at: Timestamp) -> Choice {
    match value {
        Preference::Stop => Choice::Out(no_marketing(at, String::new())),
        Preference::Resume => Choice::In { scope: Scope::Marketing, source: Source::Preferences, at },
    }
}

/// Returns a suppression of marketing.
pub(crate) fn no_marketing(since: Timestamp, reason: String) -> Suppression {
    Suppression { scope: Scope::Marketing, source: Source::Preferences, since, reason }
}

/// Records a choice at every site that sends from the number that received it, and for that number itself. A site that
/// uses the number later looks there.
pub(crate) async fn apply(
    app: &App,
    site: &SiteId,
    phone_number_id: &str,
    from: &str,
    choice: &Choice,
) -> Result<(), Failure> {
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    let sites = sites(app, site, phone_number_id).await?;
    let people = at_sites(app, &secret, &sites, from).await?;
    for identity in &people {
        identity.choose(app, choice).await?;
    }
    let unknown = people.iter().all(Identity::is_unknown);
    Identity::at_sender(app, &secret, phone_number_id, from, &people).await?.choose(app, choice).await?;
    let (scope, stops) = match choice {
        Choice::Out(suppression) => (suppression.scope, true),
        Choice::In { scope, .. } => (*scope, false),
    };
    // The choice of an unknown person is recorded under their id. It applies as soon as a status links that id to a
    // number.
    tracing::info!(%site, %scope, stops, sites = sites.len(), unknown, "recorded what a person chose");
    Ok(())
}

/// Copies the suppressions of a number to its owner's new number.
pub(crate) async fn carry_over(
    app: &App,
    site: &SiteId,
    phone_number_id: &str,
    (from, to): (&str, &str),
) -> Result<(), Failure> {
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    let sites = sites(app, site, phone_number_id).await?;
    let mut old = at_sites(app, &secret, &sites, from).await?;
    let mut new = at_sites(app, &secret, &sites, to).await?;
    old.push(Identity::at_sender(app, &secret, phone_number_id, from, &old).await?);
    new.push(Identity::at_sender(app, &secret, phone_number_id, to, &new).await?);
    for (old, new) in old.iter().zip(&new) {
        for key in old.keys() {
            for suppression in app.contacts.of_contact(key).await?.suppressions {
                new.choose(app, &Choice::Out(suppression)).await?;
            }
        }
    }
    tracing::info!(%site, "carried the suppressions of a number over to the one that replaces it");
    Ok(())
}

/// Returns the identity of an id at each of the sites.
async fn at_sites(app: &App, secret: &ContactSecret, sites: &[SiteId], id: &str) -> Result<Vec<Identity>, Failure> {
    let mut people = Vec::with_capacity(sites.len());
    for site in sites {
        people.push(Identity::of(app, secret, site, id).await?);
    }
    Ok(people)
}

/// Returns the sites that send from a number, including the site that received the platform event.
async fn sites(app: &App, site: &SiteId, phone_number_id: &str) -> Result<Vec<SiteId>, Failure> {
    let mut sites = app.webhooks.sites_of(phone_number_id).await?;
    if !sites.contains(site) {
        sites.push(site.clone());
    }
    Ok(sites)
}
