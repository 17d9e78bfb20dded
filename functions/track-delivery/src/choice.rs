//! What people want: words that stop or lift the stop, WhatsApp's own control for offers, and a number that changed.

use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::id::SiteId;
use domain::primitives::key::ContactSecret;
use domain::queue::platform_event::{Preference, Word};
use jiff::Timestamp;
use store::contacts::Choice;

use crate::App;
use crate::identity::Identity;
use crate::record::Failure;

/// What a word asks for: it is about every message.
pub(crate) fn of_word(word: Word, at: Timestamp) -> Choice {
    let (scope, source) = (Scope::All, Source::Stop);
    match word {
        Word::Stop => Choice::Out(Suppression { scope, source, since: at, reason: String::new() }),
        Word::Start => Choice::In { scope, source, at },
    }
}

/// What WhatsApp's control asks for: it is about marketing only.
pub(crate) fn of_preference(value: Preference, at: Timestamp) -> Choice {
    match value {
        Preference::Stop => Choice::Out(no_marketing(at, String::new())),
        Preference::Resume => Choice::In { scope: Scope::Marketing, source: Source::Preferences, at },
    }
}

/// That somebody wants no marketing.
pub(crate) fn no_marketing(since: Timestamp, reason: String) -> Suppression {
    Suppression { scope: Scope::Marketing, source: Source::Preferences, since, reason }
}

/// Records a choice at every site that sends from the number it was told to, and for that number itself: a site that
/// comes to the number later looks there.
pub(crate) async fn apply(
    app: &App,
    site: &SiteId,
    phone_number_id: &str,
    from: &str,
    choice: &Choice,
) -> Result<(), Failure> {
    let secret = app.contact_secret().await?;
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
    // Of somebody unknown it is kept with their id, and counts as soon as a status says which number that is.
    tracing::info!(%site, %scope, stops, sites = sites.len(), unknown, "recorded what a person chose");
    Ok(())
}

/// Copies the suppressions of a number to the one that its owner has from now on.
pub(crate) async fn carry_over(
    app: &App,
    site: &SiteId,
    phone_number_id: &str,
    (from, to): (&str, &str),
) -> Result<(), Failure> {
    let secret = app.contact_secret().await?;
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

/// Who an id is at each of the sites.
async fn at_sites(app: &App, secret: &ContactSecret, sites: &[SiteId], id: &str) -> Result<Vec<Identity>, Failure> {
    let mut people = Vec::with_capacity(sites.len());
    for site in sites {
        people.push(Identity::of(app, secret, site, id).await?);
    }
    Ok(people)
}

/// The sites that send from a number, the one that was told included.
async fn sites(app: &App, site: &SiteId, phone_number_id: &str) -> Result<Vec<SiteId>, Failure> {
    let mut sites = app.webhooks.sites_of(phone_number_id).await?;
    if !sites.contains(site) {
        sites.push(site.clone());
    }
    Ok(sites)
}
