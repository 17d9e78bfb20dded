//! Changes of templates at Meta. The next sync reads the whole template, within a minute if it was approved. Until
//! then nothing is sent with an outdated template.

use domain::primitives::id::SiteId;
use domain::primitives::language::Language;
use domain::queue::platform_event::Change;
use domain::template::{Category, Content, Template, TemplateStatus, Unfillable};
use runtime::failure::Failure;
use store::config::TemplateKey;

use crate::App;

/// Events after which a template may be sent again.
const APPROVED: [&str; 3] = ["APPROVED", "REINSTATED", "UNARCHIVED"];
/// A warning: the template may still be sent.
const FLAGGED: &str = "FLAGGED";
/// Suffix of the fingerprint of a template whose new components have not been read.
const UNREAD: &str = "+components";

/// Changes a template at every account of the site that has it. An unknown template is read by the next sync.
pub(crate) async fn apply(
    app: &App,
    site: &SiteId,
    waba_id: &str,
    (name, language): (&str, &str),
    change: &Change,
) -> Result<(), Failure> {
    let Some(live) = app.config.live(site).await? else { return Ok(()) };
    let Ok(language) = Language::parse(language) else {
        tracing::warn!(%site, template = name, language, "a template changed whose language is none");
        return Ok(());
    };
    for account in live.accounts.iter().filter(|account| account.waba_id == waba_id) {
        if approves(change) {
            // Its text may have changed, and a new template is still unknown.
            app.config.ask_for_sync(site, &account.id, app.clock.now()).await?;
        }
        let key = TemplateKey { account: &account.id, name, language: &language };
        let Some((before, after)) = app.config.change_template(site, key, |known| changed(known, change)).await? else {
            tracing::info!(%site, account = %account.id, template = name, %language, "a template changed that no sync has seen");
            continue;
        };
        if approves(change) {
            app.config.lift_hold(site, key).await?;
        }
        let now = app.clock.now();
        for mapping in app.config.mark_for_review(site, &account.id, (&[before], &[after]), now).await? {
            tracing::warn!(%site, %mapping, "a template of a mapping changed; it sends nothing until a person confirmed it");
        }
        tracing::warn!(%site, account = %account.id, template = name, %language, ?change, "a template changed at Meta");
    }
    Ok(())
}

fn approves(change: &Change) -> bool {
    matches!(change, Change::Status { event, .. } if APPROVED.contains(&event.as_str()))
}

/// Returns the template after a change. Idempotent.
fn changed(template: &Template, change: &Change) -> Template {
    let mut changed = template.clone();
    match change {
        Change::Status { event, .. } if event == FLAGGED => {}
        Change::Status { .. } if approves(change) => changed.status = TemplateStatus::Approved,
        Change::Status { event, .. } => changed.status = TemplateStatus::Other(event.clone()),
        Change::Category { category } => {
            let category = Category::from(category.clone());
            if category != changed.category {
                // The true fingerprint requires the components as Meta lists them. Until the sync, this one matches no
                // mapping.
                changed.fingerprint = format!("{}+{}", template.fingerprint, String::from(category.clone()));
                changed.category = category;
            }
        }
        Change::Quality { score } => changed.quality = Some(score.clone()),
        Change::Components => {
            if !template.fingerprint.ends_with(UNREAD) {
                changed.fingerprint = format!("{}{UNREAD}", template.fingerprint);
            }
            // An outdated text must not be confirmed.
            changed.content = Content::Unusable { why: Unfillable::Unread };
        }
    }
    changed
}

#[cfg(test)]
mod tests {

    use super::*;

    fn template() -> Template {
        Template {
            name: "stato".to_owned(),
            language: Language::italian(),
            status: TemplateStatus::Other("PAUSED".to_owned()),
            category: Category::Utility,
            quality: None,
            content: Content::Unusable { why: Unfillable::NoBody },
            fingerprint: "f".to_owned(),
        }
    }

    fn status(event: &str) -> Change {
        Change::Status { event: event.to_owned(), reason: None }
    }

    #[test]
    fn a_template_is_approved_by_three_events_and_by_no_other() {
        for event in ["APPROVED", "REINSTATED", "UNARCHIVED"] {
            assert_eq!(changed(&template(), &status(event)).status, TemplateStatus::Approved, "{event}");
        }
        assert_eq!(changed(&template(), &status("FLAGGED")), template());
        let approved = Template { status: TemplateStatus::Approved, ..template() };
        for event in ["PAUSED", "DISABLED", "REJECTED", "LOCKED", "whatever comes"] {
            assert_eq!(changed(&approved, &status(event)).status, TemplateStatus::Other(event.to_owned()));
        }
    }

    #[test]
    fn a_new_category_or_text_changes_the_fingerprint_and_a_repeat_does_not() {
        let category = |name: &str| Change::Category { category: name.to_owned() };
        assert_eq!(changed(&template(), &category("UTILITY")), template());
        for change in [category("MARKETING"), Change::Components] {
            let once = changed(&template(), &change);
            assert_ne!(once.fingerprint, template().fingerprint);
            assert_eq!(changed(&once, &change), once);
        }
        assert_eq!(changed(&template(), &category("MARKETING")).category, Category::Marketing);
    }

    #[test]
    fn a_quality_score_is_stored_and_changes_nothing_else() {
        let scored = changed(&template(), &Change::Quality { score: "RED".to_owned() });
        assert_eq!(scored, Template { quality: Some("RED".to_owned()), ..template() });
    }
}
