//! The other end of a world: the phone, and what the platform does and reports.

use anyhow::{Context, Result, bail};
use hmac::{KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Answer, PHONE_NUMBER_ID, WABA_ID, World};

impl World {
    /// Returns the messages on the phone, oldest first.
    ///
    /// # Errors
    /// If the simulator does not respond.
    pub async fn phone(&self) -> Result<Vec<Value>> {
        match self.simulator_get("/_sim/messages").await? {
            Value::Array(messages) => Ok(messages),
            other => bail!("not a list: {other}"),
        }
    }

    /// Returns the texts on the phone, oldest first.
    ///
    /// # Errors
    /// If the simulator does not respond.
    pub async fn texts(&self) -> Result<Vec<String>> {
        let text = |message: &Value| message["text"].as_str().map(str::to_owned).context("a message without text");
        self.phone().await?.iter().map(text).collect()
    }

    /// Sets how the simulator reports statuses. The default of a story is `none`.
    ///
    /// # Errors
    /// If the simulator rejects the mode.
    pub async fn report_statuses(&self, mode: &str) -> Result<()> {
        self.simulator_post("/_sim/statuses", &serde_json::json!({"mode": mode})).await
    }

    /// Resets the simulator, including its faults and messages.
    ///
    /// # Errors
    /// If the simulator does not respond.
    pub async fn reset_simulator(&self) -> Result<()> {
        self.simulator_post("/_sim/reset", &serde_json::json!({})).await?;
        self.report_statuses("none").await
    }

    /// Sends an inbound message to the sender number.
    ///
    /// # Errors
    /// If the simulator rejects the request.
    pub async fn write_back(&self, from: &str, text: &str) -> Result<()> {
        self.simulator_post("/_sim/inbound", &serde_json::json!({"from": from, "text": text})).await
    }

    /// Posts one change to the site's webhook, with the signature of the platform.
    ///
    /// # Errors
    /// If the response is not JSON.
    pub async fn report(&self, change: &Value) -> Result<Answer> {
        let entry = serde_json::json!([{"id": WABA_ID, "changes": [change]}]);
        let body = serde_json::json!({"object": "whatsapp_business_account", "entry": entry}).to_string();
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(self.webhook_secret.as_bytes())?;
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let path = format!("/v1/webhooks/whatsapp/{}", self.webhook_id);
        self.request(&path, &[("x-hub-signature-256", &signature)], body.as_bytes()).await
    }

    /// Returns a status update of a message in the platform's format.
    #[must_use]
    pub fn status(provider_id: &str, opaque: Option<&str>, status: &str, at: Timestamp) -> Value {
        let mut report = serde_json::json!({
            "id": provider_id, "status": status, "timestamp": at.as_second().to_string(), "recipient_id": "393401234567",
        });
        if let (Some(opaque), Some(fields)) = (opaque, report.as_object_mut()) {
            fields.insert("biz_opaque_callback_data".to_owned(), Value::from(opaque));
        }
        let metadata = serde_json::json!({"display_phone_number": "390236269240", "phone_number_id": PHONE_NUMBER_ID});
        let value = serde_json::json!({"messaging_product": "whatsapp", "metadata": metadata, "statuses": [report]});
        serde_json::json!({"field": "messages", "value": value})
    }

    /// Plans a fault on the simulator.
    ///
    /// # Errors
    /// If the simulator rejects the fault.
    pub async fn fault(&self, fault: &Value) -> Result<()> {
        self.simulator_post("/_sim/faults", fault).await
    }

    /// Changes a template on the simulator.
    ///
    /// # Errors
    /// If the simulator rejects the change.
    pub async fn set_template(&self, name: &str, language: &str, change: &Value) -> Result<()> {
        let url = format!("{}/_sim/templates/{name}/{language}", self.simulator.url());
        self.http.post(url).json(change).send().await?.error_for_status()?;
        Ok(())
    }

    /// Removes a template from the simulator.
    ///
    /// # Errors
    /// If the template does not exist.
    pub async fn delete_template(&self, name: &str, language: &str) -> Result<()> {
        let url = format!("{}/_sim/templates/{name}/{language}", self.simulator.url());
        self.http.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Posts to the simulator's control API.
    ///
    /// # Errors
    /// If the simulator rejects the request.
    pub async fn simulator_post(&self, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}{path}", self.simulator.url());
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }

    /// Returns the simulator's response to a GET request.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn simulator_get(&self, path: &str) -> Result<Value> {
        Ok(self.http.get(format!("{}{path}", self.simulator.url())).send().await?.error_for_status()?.json().await?)
    }

    /// Returns the sends that reached the simulator, oldest first. Rejected sends and cut connections are included.
    ///
    /// # Errors
    /// If the simulator does not respond.
    pub async fn requests(&self) -> Result<Vec<Value>> {
        match self.simulator_get("/_sim/requests").await? {
            Value::Array(requests) => Ok(requests),
            other => bail!("not a list: {other}"),
        }
    }
}
