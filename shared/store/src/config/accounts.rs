//! The accounts of a site, and its default account.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use domain::primitives::id::SiteId;
use domain::site::config::{Account, Site};

use super::{ACCOUNT, ConfigTable, SITE, live_key, live_of};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, text};

/// Attempts to write a site that others change at the same time.
const TRIES: usize = 5;

impl ConfigTable {
    /// Writes an account of a site.
    ///
    /// If the site states no default account, the same transaction sets it: the first existing account, or else this
    /// one. A new account therefore does not take over the mappings that name no account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_account(&self, site: &SiteId, account: &Account) -> Result<(), StoreError> {
        self.list_site(site).await?;
        for _ in 0..TRIES {
            let items = self.query(&live_key(site)).await?;
            let Some(stating) = stating_default(&items, account)? else {
                return self.put(live_key(site), sort_key(account), account).await;
            };
            if self.put_with_site(site, account, stating).await? {
                return Ok(());
            }
        }
        Err(StoreError::contended("the site is changed by others all the time"))
    }

    /// Writes an account together with its site. Returns `false` if the site has changed since it was read.
    async fn put_with_site(&self, site: &SiteId, account: &Account, stating: Stating) -> Result<bool, StoreError> {
        let Stating { old, new } = stating;
        let new_site = Put::builder()
            .table_name(&self.table)
            .item("pk", text(live_key(site)))
            .item("sk", text(SITE))
            .item("json", json(&new)?)
            .condition_expression("json = :old")
            .expression_attribute_values(":old", text(old));
        let new_account = Put::builder()
            .table_name(&self.table)
            .item("pk", text(live_key(site)))
            .item("sk", text(sort_key(account)))
            .item("json", json(account)?);
        let write = |put: Result<Put, BuildError>| {
            let put = put?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        };
        let writes = vec![write(new_site.build())?, write(new_account.build())?];
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes)).send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let met = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
                let changed = cancelled.cancellation_reasons().iter().any(|one| one.code().is_some_and(met));
                if changed { Ok(false) } else { Err(error.into()) }
            }
            _ => Err(error.into()),
        }
    }
}

/// The stored value of a site, and the site with its default account.
struct Stating {
    old: String,
    new: Site,
}

/// The change that states the default account of a site; `None` if it is already stated or the site does not exist.
fn stating_default(items: &[Item], account: &Account) -> Result<Option<Stating>, StoreError> {
    let Some(live) = live_of(items)? else { return Ok(None) };
    if live.site.default_account.is_some() {
        return Ok(None);
    }
    let default = live.default_account().unwrap_or(&account.id).clone();
    let mut readings = items.iter().map(Reading::of);
    let site = readings.find(|reading| reading.text("sk").is_ok_and(|sk| sk == Some(SITE)));
    let old = site.map(|site| site.required("json").map(str::to_owned)).transpose()?;
    Ok(old.map(|old| Stating { old, new: Site { default_account: Some(default), ..live.site } }))
}

fn sort_key(account: &Account) -> String {
    format!("{ACCOUNT}{}", account.id)
}
