//! Skips: messages that are decided not to be sent.

use domain::message::reason::Skip;
use runtime::failure::Failure;
use runtime::metrics::Metric;

use crate::consequences;
use crate::context::contact;
use crate::task::Task;

/// Records that a message is skipped.
pub(crate) async fn record_skip(task: Task<'_>, skip: &Skip) -> Result<(), Failure> {
    let Task { app, .. } = task;
    let contact = contact(task).await?;
    let decided = app.ledger.skip(&task.record(), skip, contact.as_deref(), task.now()).await?;
    let (site, id) = (&task.job.site, task.id());
    let Some(decided) = decided else {
        tracing::info!(%site, message.id = %id, reason = %skip.reason, "skipped a message");
        app.metrics.count_by(Metric::MessagesSkipped, skip.reason.to_string());
        return Ok(());
    };
    let state = decided.facts.state();
    tracing::info!(%site, message.id = %id, reason = %skip.reason, %state, "a message to be skipped was already processed");
    Box::pin(consequences::given_up(task, &decided)).await
}
