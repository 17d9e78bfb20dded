//! Puts status reports that arrived before their message was known back into their queue once it is known.

use domain::primitives::id::SiteId;
use domain::queue::platform_event::{PlatformEvent, Queued};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use runtime::batch::Deadline;
use runtime::cache::{Cache, Loaded};
use store::StoreError;
use store::ledger::Orphan;

use crate::{App, SweepError, Tally};

/// Reports per read.
const PAGE: i32 = 200;
/// Reports processed concurrently.
const AT_ONCE: usize = 8;

/// The sites of each sender number, as read in this sweep.
type Senders = Cache<String, Vec<SiteId>, StoreError>;

/// Looks up the message of each waiting report, page by page, while time remains.
pub(crate) async fn join_all(app: &App, deadline: &Deadline, tally: &mut Tally) {
    let now = app.clock.now();
    let senders = Senders::default();
    let mut after = None;
    while deadline.has_time() {
        let (orphans, next) = match app.ledger.orphans(now, PAGE, after).await {
            Ok(page) => page,
            Err(error) => return tally.keep(Err(error)),
        };
        let one = |orphan: Orphan| {
            let senders = &senders;
            async move { if deadline.has_time() { join(app, &orphan, senders, now).await } else { Ok(false) } }
        };
        let mut joining = stream::iter(orphans).map(one).buffer_unordered(AT_ONCE);
        while let Some(joined) = joining.next().await {
            match joined {
                Ok(true) => tally.swept.joined += 1,
                Ok(false) => {}
                Err(error) => tally.keep(Err(error)),
            }
        }
        if next.is_none() {
            return;
        }
        after = next;
    }
}

/// Returns whether the report's message was found.
async fn join(app: &App, orphan: &Orphan, senders: &Senders, now: Timestamp) -> Result<bool, SweepError> {
    if !is_known(app, orphan, senders).await? {
        app.ledger.postpone_orphan(orphan, now).await?;
        return Ok(false);
    }
    app.statuses.send_body(&orphan.platform_event, Some(&orphan.site)).await?;
    app.ledger.drop_orphan(orphan).await?;
    Ok(true)
}

/// Whether the message belongs to the site, or to another site that sends from the same number.
async fn is_known(app: &App, orphan: &Orphan, senders: &Senders) -> Result<bool, StoreError> {
    if app.ledger.message_of_provider(&orphan.site, &orphan.provider_id).await?.is_some() {
        return Ok(true);
    }
    let Ok(Queued { platform_event: PlatformEvent::Status { phone_number_id, .. }, .. }) =
        serde_json::from_str(&orphan.platform_event)
    else {
        return Ok(false);
    };
    for site in sites_of(app, &phone_number_id, senders).await? {
        if site != orphan.site && app.ledger.message_of_provider(&site, &orphan.provider_id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the sites that send from a number; each number is read once per sweep.
async fn sites_of(app: &App, phone_number_id: &str, senders: &Senders) -> Result<Vec<SiteId>, StoreError> {
    let load = async {
        let sites = app.webhooks.sites_of(phone_number_id).await?;
        Ok(Loaded { value: sites, keep_for: SignedDuration::MAX })
    };
    senders.get(&phone_number_id.to_owned(), app.clock.now(), load).await
}
