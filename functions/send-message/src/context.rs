//! The decision context: data that a decision needs in addition to the event.

use domain::decision::cart::CartHistory;
use domain::decision::context::DecisionContext;
use domain::message::suppression::ContactData;
use runtime::failure::Failure;

use crate::task::Task;

/// Reads the state of the cart and of the customer's other carts. Empty unless the event is a cart event.
pub(crate) async fn carts(task: Task<'_>) -> Result<CartHistory, Failure> {
    let Some(keys) = task.carts else { return Ok(CartHistory::default()) };
    Ok(task.app.contacts.carts(keys, &task.job.mapping).await?)
}

/// Returns the decision context of a message, completed with the data about its recipient.
pub(crate) async fn with_recipient(task: Task<'_>, context: &DecisionContext) -> Result<DecisionContext, Failure> {
    Ok(DecisionContext { contact: known(task).await?, ..context.clone() })
}

/// Reads what is recorded about the recipient and their number.
async fn known(task: Task<'_>) -> Result<ContactData, Failure> {
    let Task { app, live, .. } = task;
    let Some(contact) = contact(task).await? else { return Ok(ContactData::default()) };
    let person = app.secrets.contact_secret(app.clock.now()).await?.person_key(&live.site.id, &task.job.recipient);
    Ok(app.contacts.known(&contact, &person).await?)
}

/// Returns the pseudonym of the recipient's number, if the number is valid.
pub(crate) async fn contact(task: Task<'_>) -> Result<Option<String>, Failure> {
    let Task { app, live, event, .. } = task;
    let Some(recipient) = event.recipient(&task.job.recipient) else { return Ok(None) };
    Ok(app.secrets.contact_secret(app.clock.now()).await?.contact_of(&live.site, recipient))
}
