//! Changes of sites and accounts, as the CLI makes them.

use anyhow::Result;
use domain::primitives::id::SiteId;
use domain::site::config::{Account, Site};
use domain::site::credential::AccountToken;
use provider::{Network, Provider};
use secrecy::SecretString;
use serde_json::json;

use crate::{ACCOUNT, STACK, World};

impl World {
    /// Reads the template list of an account into the configuration and returns the number of templates.
    ///
    /// # Errors
    /// If the simulator or the table rejects the request.
    pub async fn sync_templates(&self, account: &Account) -> Result<usize> {
        let token = AccountToken { token: SecretString::from(self.access_token.clone()), host: None };
        let provider = Provider::new(Network::Any)?;
        let site = self.site()?;
        let now = self.clock.now();
        Ok(sync_templates::sync(&provider, &self.config, &site, account, &token, now).await?.templates)
    }

    /// Stores the host of the demo site's account with its token, as the CLI does.
    ///
    /// # Errors
    /// If a part of the world rejects the change.
    pub async fn store_host(&self) -> Result<()> {
        let (name, live) = (format!("{STACK}/{}/provider", self.site()?), self.live().await?);
        let host = live.accounts.first().and_then(|account| provider::host(&account.base_url));
        let secret = json!({"accounts": {ACCOUNT: {"token": self.access_token, "host": host}}});
        let secrets = self.emulators.secrets();
        secrets.put_secret_value().secret_id(name).secret_string(secret.to_string()).send().await?;
        Ok(())
    }

    /// Adds another site to the demo site's sender number, with the accounts, templates and mappings of the demo site.
    ///
    /// # Errors
    /// If a part of the world rejects the change.
    pub async fn add_site(&self, id: &str) -> Result<SiteId> {
        let (site, live) = (SiteId::parse(id)?, self.live().await?);
        self.config.put_site(&Site { id: site.clone(), ..live.site }).await?;
        let token = json!({"accounts": {ACCOUNT: {"token": self.access_token}}}).to_string();
        let name = format!("{STACK}/{id}/provider");
        self.emulators.secrets().create_secret().name(name).secret_string(token).send().await?;
        for mut account in live.accounts {
            account.came_later = self.webhooks.add_sender(&site, &account.phone_number_id, &account.waba_id).await?;
            self.config.put_account(&site, &account).await?;
            let templates = self.config.templates(&self.site()?, &account.id).await?;
            self.config.put_templates(&site, &account.id, &templates).await?;
        }
        for mapping in &live.mappings {
            self.config.put_mapping(&site, mapping).await?;
        }
        Ok(site)
    }
}
