//! Accounts whose templates must be read again before the hourly sync.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use domain::primitives::id::{AccountId, SiteId};
use jiff::Timestamp;

use super::ConfigTable;
use crate::error::StoreError;
use crate::item::{Reading, text, time};

const RESYNC: &str = "RESYNC";

/// An account with a requested sync of its templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The site.
    pub site: SiteId,
    /// The account.
    pub account: AccountId,
    /// When the sync was requested, exactly as stored.
    asked_at: String,
}

impl ConfigTable {
    /// Requests a sync of an account's templates. Several requests result in one sync.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_for_sync(&self, site: &SiteId, account: &AccountId, now: Timestamp) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request.item("pk", text(RESYNC)).item("sk", text(sort_key(site, account)));
        request.item("asked_at", time(now)).send().await?;
        Ok(())
    }

    /// Returns the accounts with a requested sync.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asked_for_sync(&self) -> Result<Vec<Asked>, StoreError> {
        let mut asked = Vec::new();
        for item in self.query(RESYNC).await? {
            let reading = Reading::of(&item);
            let (site, account) =
                of_sort_key(reading.required("sk")?).ok_or_else(|| reading.fault("sk", "names no account"))?;
            asked.push(Asked { site, account, asked_at: reading.required("asked_at")?.to_owned() });
        }
        Ok(asked)
    }

    /// Removes a request after the sync, unless another one was made since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answered(&self, asked: &Asked) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.key("pk", text(RESYNC)).key("sk", text(sort_key(&asked.site, &asked.account)));
        let request = request.condition_expression("asked_at = :asked_at");
        match request.expression_attribute_values(":asked_at", text(&asked.asked_at)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}

pub(super) fn sort_key(site: &SiteId, account: &AccountId) -> String {
    format!("{site}#{account}")
}

fn of_sort_key(key: &str) -> Option<(SiteId, AccountId)> {
    let (site, account) = key.split_once('#')?;
    Some((SiteId::parse(site).ok()?, AccountId::parse(account).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_names_site_and_account() {
        let (site, account) = (SiteId::parse("demo").unwrap(), AccountId::parse("main").unwrap());
        assert_eq!(sort_key(&site, &account), "demo#main");
        assert_eq!(of_sort_key("demo#main"), Some((site, account)));
        assert_eq!(of_sort_key("demo"), None);
    }
}
