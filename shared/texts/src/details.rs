//! The values that decided about a message, in readable form.
//!
//! The ledger stores a detail as text. Its form depends on the reason and is that of the function in `domain` that
//! returns the skip. A text in another form, such as one of another version, is shown unchanged.

use domain::message::reason::{BY_OPERATOR, Reason};
use domain::message::state::WaitReason;
use domain::message::suppression::{Scope, Source};
use domain::primitives::language::Language;
use domain::template::Unfillable;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};

use crate::Texts;

impl Texts {
    /// Returns why a message was not sent, with the value that decided.
    #[must_use]
    pub fn skip(&self, reason: Reason, detail: &str, zone: &TimeZone) -> String {
        let sentence = self.reason(reason);
        if detail.is_empty() {
            return sentence.to_owned();
        }
        let detail = self.known(reason, detail, zone).unwrap_or_else(|| detail.to_owned());
        format!("{sentence} {}", self.detail(detail))
    }

    fn known(&self, reason: Reason, detail: &str, zone: &TimeZone) -> Option<String> {
        let moment = |text: &str| Some(self.moment(text.parse::<Timestamp>().ok()?, zone));
        match reason {
            Reason::OptedOut | Reason::Superseded | Reason::NotLatestCart => moment(detail),
            Reason::Unreachable => Some(self.detail_until(moment(detail)?)),
            Reason::Cancelled if detail == BY_OPERATOR => Some(self.source_operator()),
            Reason::Cancelled => moment(detail),
            Reason::Expired => match detail.split_once(", ") {
                None => Some(self.detail_useful_until(moment(detail)?)),
                Some((until, why)) => {
                    let why = WaitReason::deserialize(StrDeserializer::<Error>::new(why)).ok()?;
                    Some(self.detail_waits_too_long(moment(until)?, self.wait_reason(why)))
                }
            },
            Reason::BeforeActivation => {
                let (happened_at, active_since) = detail.split_once(" < ")?;
                Some(self.detail_before_activation(moment(happened_at)?, moment(active_since)?))
            }
            Reason::Suppressed => self.suppression(detail),
            Reason::TemplateChanged => self.review(detail, zone).or_else(|| self.template(detail)),
            Reason::TemplateNotApproved | Reason::TemplateNotUsable => self.template(detail),
            Reason::PhoneInvalid => {
                let (typed, country) = detail.split_once(": no prefix, and no country is called ")?;
                Some(self.detail_no_such_country(typed, country))
            }
            Reason::NoTemplateForLanguage => {
                let language = Language::parse(detail).ok()?;
                (!language.is_offered()).then(|| self.detail_unknown_language(detail))
            }
            Reason::ValueMissing => {
                let (place, fault) = detail.split_once(": ")?;
                match fault {
                    "is no https address" => Some(self.detail_no_https(place)),
                    "must be letters and digits" => Some(self.detail_no_code(place)),
                    _ => None,
                }
            }
            Reason::AlreadyNotified => {
                let (message, state) = detail.split_once(", ")?;
                let (state, code) = state.split_once(' ').unwrap_or((state, ""));
                Some(format!("{message}, {}", [self.outcome(state), code.to_owned()].join(" ").trim_end()))
            }
            _ => None,
        }
    }

    /// Reads scope, source and day of a suppression.
    fn suppression(&self, detail: &str) -> Option<String> {
        let mut parts = detail.split(", ");
        let scope = self.scope(Scope::parse(parts.next()?)?);
        let source = self.source(Source::parse(parts.next()?)?);
        let since: Date = parts.next()?.parse().ok()?;
        Some(self.suppressed(scope, source, self.date(since)))
    }

    /// Reads the changed templates of a review, and since when it is due.
    fn review(&self, detail: &str, zone: &TimeZone) -> Option<String> {
        let (changes, since) = detail.rsplit_once(", since ")?;
        let change = |text: &str| match text.rsplit_once(": ")? {
            (template, "category") => Some(format!("{template}: {}", self.change_category())),
            (template, "content") => Some(format!("{template}: {}", self.change_content())),
            _ => None,
        };
        let changes: Option<Vec<String>> = changes.split(", ").map(change).collect();
        Some(self.changed_since(changes?.join(", "), self.moment(since.parse().ok()?, zone)))
    }

    /// Reads a template with what is wrong with it.
    fn template(&self, detail: &str) -> Option<String> {
        let (template, why) = detail.split_once("): ")?;
        let why = match why {
            "not in the account's list" => self.detail_not_listed(),
            "not the one the mapping was checked against" => self.detail_other_template(),
            why => match Unfillable::from(why) {
                Unfillable::Other(status) => status,
                known => self.unfillable(&known),
            },
        };
        Some(format!("{template}): {why}"))
    }

    /// Returns the word for the name of an outcome.
    #[must_use]
    pub fn outcome(&self, name: &str) -> String {
        match name {
            "pending" => self.outcome_pending(),
            "waiting" => self.outcome_waiting(),
            "sending" => self.outcome_sending(),
            "sent" => self.outcome_sent(),
            "delivered" => self.outcome_delivered(),
            "read" => self.outcome_read(),
            "failed" => self.outcome_failed(),
            "skipped" => self.outcome_skipped(),
            "unknown" => self.outcome_unknown(),
            other => other.to_owned(),
        }
    }

    /// Returns what a suppression forbids.
    #[must_use]
    pub fn scope(&self, scope: Scope) -> String {
        match scope {
            Scope::All => self.scope_all(),
            Scope::Marketing => self.scope_marketing(),
        }
    }

    /// Returns the origin of a suppression.
    #[must_use]
    pub fn source(&self, source: Source) -> String {
        match source {
            Source::Stop => self.source_stop(),
            Source::Preferences => self.source_preferences(),
            Source::Operator => self.source_operator(),
            Source::Import => self.source_import(),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::message::reason::Skip;
    use domain::message::suppression::Suppression;

    use super::*;
    use crate::Lang;

    fn shown(skip: &Skip) -> String {
        let zone = TimeZone::get("Europe/Rome").unwrap();
        Lang::It.texts().skip(skip.reason, &skip.detail, &zone)
    }

    fn at() -> Timestamp {
        "2026-11-22T09:15:00Z".parse().unwrap()
    }

    #[test]
    fn details_are_in_the_readers_language_and_in_the_zone_of_the_site() {
        let suppression = Suppression { scope: Scope::All, source: Source::Stop, since: at(), reason: String::new() };
        let late = domain::decision::wait(
            at(),
            WaitReason::QuietHours,
            String::new(),
            "2026-11-22T08:00:00Z".parse().unwrap(),
        );
        let domain::decision::Halt::Skip(late) = late else { panic!("{late:?}") };
        let skips = [
            Skip::new(Reason::OptedOut, at().to_string()),
            Skip::new(Reason::Suppressed, suppression.to_string()),
            Skip::new(Reason::Expired, at().to_string()),
            late,
            Skip::new(Reason::BeforeActivation, format!("{} < {}", at(), "2026-11-23T00:00:00Z")),
            Skip::new(Reason::Cancelled, BY_OPERATOR),
            Skip::new(Reason::Unreachable, at().to_string()),
            Skip::new(Reason::PhoneInvalid, "340: no prefix, and no country is called Italie"),
            Skip::new(Reason::ValueMissing, "header.image.link = file.url: is no https address"),
            Skip::new(Reason::TemplateNotUsable, "novita (it): its header is of the kind LOCATION"),
            Skip::new(Reason::TemplateNotApproved, "novita (it): REJECTED"),
            Skip::new(Reason::TemplateNotApproved, "novita (it): not in the account's list"),
            Skip::new(Reason::TemplateChanged, "novita (it): content, since 2026-11-22T09:15:00Z"),
            Skip::new(Reason::AlreadyNotified, "1f.2e, failed 131026"),
            Skip::new(Reason::ConditionNotMet, "order.status = EVASO"),
            Skip::from(Reason::SamePhone),
        ];
        insta::assert_snapshot!(skips.iter().map(shown).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_language_that_whatsapp_does_not_offer_is_named() {
        let sentence = |code: &str| shown(&Skip::new(Reason::NoTemplateForLanguage, code));
        assert!(sentence("ita").ends_with(": ita, una lingua in cui WhatsApp non ha template"), "{}", sentence("ita"));
        assert!(sentence("de").ends_with(": de"), "{}", sentence("de"));
    }

    #[test]
    fn a_detail_of_another_form_is_shown_unchanged() {
        for reason in [Reason::OptedOut, Reason::Expired, Reason::Suppressed, Reason::TemplateChanged] {
            let text = shown(&Skip::new(reason, "qualcosa d'altro"));
            assert!(text.ends_with(": qualcosa d'altro"), "{text}");
        }
    }
}
