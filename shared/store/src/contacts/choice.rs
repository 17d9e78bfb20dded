//! A person's choices, ordered by time.
//!
//! A choice may be reported late, out of order and more than once. A suppression and its end therefore each have a
//! time, and the latest one counts.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::id::SiteId;
use jiff::Timestamp;

use super::suppression::{detail_attribute, updated};
use super::{Contacts, Item};
use crate::error::StoreError;
use crate::item::{Reading, json, text};

/// A person's choice about one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The person wants no more messages of the scope.
    Out(Suppression),
    /// The person wants messages again: the suppression of the scope by the source ends.
    In {
        /// The scope that is allowed again.
        scope: Scope,
        /// The source of the suppression that ends. Suppressions of other sources stay.
        source: Source,
        /// When the person made the choice.
        at: Timestamp,
    },
}

impl Choice {
    fn parts(&self) -> (Scope, Source, String) {
        match self {
            Self::Out(Suppression { scope, source, since, .. }) => (*scope, *source, moment(*since, "out")),
            Self::In { scope, source, at } => (*scope, *source, moment(*at, "in")),
        }
    }
}

impl Contacts {
    /// Records a choice, unless a later one of the same scope and source is recorded. `site` lists the number under its
    /// site; an alias has none. Returns whether the choice was recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn choose(&self, site: Option<&SiteId>, key: &str, choice: &Choice) -> Result<bool, StoreError> {
        let (scope, source, moment) = choice.parts();
        let detail = detail_attribute(scope, source);
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(key))
            .condition_expression("attribute_not_exists(#moment) OR #moment < :moment")
            .expression_attribute_names("#moment", moment_attribute(scope, source))
            .expression_attribute_values(":moment", text(moment))
            .expression_attribute_names("#scope", scope.to_string())
            .expression_attribute_values(":source", AttributeValue::Ss(vec![source.to_string()]))
            .expression_attribute_names("#detail", detail);
        let expression = match (choice, site) {
            (Choice::Out(suppression), site) => {
                request = request.expression_attribute_values(":detail", json(suppression)?);
                let out = "ADD #scope :source SET #detail = if_not_exists(#detail, :detail), #moment = :moment";
                match site {
                    Some(site) => {
                        request = request.expression_attribute_values(":site", text(site.as_str()));
                        format!("{out}, site = :site")
                    }
                    None => out.to_owned(),
                }
            }
            (Choice::In { .. }, _) => "DELETE #scope :source REMOVE #detail SET #moment = :moment".to_owned(),
        };
        updated(request.update_expression(expression)).await
    }

    /// Applies the choices stored under another key to a number of a site. A choice does not replace one of the site
    /// with the same or a later time. The same choice therefore does not restore a suppression that an operator lifted.
    ///
    /// # Errors
    /// [`StoreError`]; the next call completes it.
    pub async fn take_over(&self, key: &str, site: &SiteId, contact: &str) -> Result<(), StoreError> {
        let items = self.items(&[key]).await?;
        let chosen = items.get(key).map(choices).transpose()?;
        for choice in chosen.into_iter().flatten() {
            self.choose(Some(site), contact, &choice).await?;
        }
        Ok(())
    }
}

/// Reads the choices of an item, each with its time.
pub(super) fn choices(item: &Item) -> Result<Vec<Choice>, StoreError> {
    let reading = Reading::of(item);
    let mut choices = Vec::new();
    for scope in Scope::ALL {
        for source in Source::ALL {
            let name = moment_attribute(scope, source);
            let Some(at) = reading.text(&name)?.and_then(|moment| moment.split_whitespace().next()) else { continue };
            let at = at.parse().map_err(|error| reading.fault(&name, error))?;
            let suppression = reading.json::<Suppression>(&detail_attribute(scope, source))?;
            // If a choice was repeated, the last time counts: the choice that ends it must be later.
            choices.push(match suppression {
                Some(suppression) => Choice::Out(Suppression { since: at, ..suppression }),
                None => Choice::In { scope, source, at },
            });
        }
    }
    Ok(choices)
}

/// The time of a choice as sortable text. Of two choices at the same time, the opt-out is the later one.
fn moment(at: Timestamp, what: &str) -> String {
    // "in" sorts before "out".
    format!("{at:.9} {what}")
}

fn moment_attribute(scope: Scope, source: Source) -> String {
    format!("{scope}_{source}_chosen")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opt_out_sorts_after_an_opt_in_of_the_same_time() {
        let (one, next) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        assert!(moment(one, "in") < moment(one, "out"));
        assert!(moment(one, "out") < moment(next, "in"));
    }
}
