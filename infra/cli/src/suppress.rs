//! `bridge suppress` and `bridge unsuppress`: an operator suppresses messages to a number or lifts a suppression.

use domain::message::suppression::{Lift, Lifted, Scope, Source, Suppression};
use domain::primitives::phone::Phone;
use domain::site::config::Site;

use crate::args;
use crate::ask;
use crate::failure::Failure;
use crate::number;
use crate::output::Output;
use crate::stack::Stack;

impl From<args::Scope> for Scope {
    fn from(scope: args::Scope) -> Self {
        match scope {
            args::Scope::All => Self::All,
            args::Scope::Marketing => Self::Marketing,
        }
    }
}

impl From<args::Source> for Source {
    fn from(source: args::Source) -> Self {
        match source {
            args::Source::Stop => Self::Stop,
            args::Source::Preferences => Self::Preferences,
            args::Source::Operator => Self::Operator,
            args::Source::Import => Self::Import,
        }
    }
}

pub(crate) async fn suppress(command: &args::Suppress, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let phone = number::read(&command.phone, &live.site)?;
    let contact = stack.contact(&live, &phone).await?;
    let suppression = Suppression {
        scope: command.scope.into(),
        source: Source::Operator,
        since: stack.clock.now(),
        reason: ask::words(&command.reason, "--reason")?,
    };
    stack.contacts.suppress(&live.site.id, &contact, &suppression).await?;
    say(&phone, &contact, &live.site, stack, output).await
}

pub(crate) async fn unsuppress(command: &args::Unsuppress, stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let phone = number::read(&command.phone, &live.site)?;
    let reason = command.reason.as_deref().map(|reason| ask::words(reason, "--reason")).transpose()?;
    let contact = stack.contact(&live, &phone).await?;
    let lifted = if command.unreachable {
        Lifted::Unreachable
    } else {
        Lifted::Suppression { scope: command.scope.into(), source: command.source.into() }
    };
    let by = ask::words(&command.by, "--by")?;
    let lift = Lift { lifted, at: stack.clock.now(), by, reason: reason.unwrap_or_default() };
    let ended = stack.contacts.lift(&contact, &lift).await?;
    say(&phone, &contact, &live.site, stack, output).await?;
    if ended { Ok(()) } else { Err(Failure::no(|texts| texts.nothing_to_lift())) }
}

/// Prints the current suppressions and consent of a number.
async fn say(phone: &Phone, contact: &str, site: &Site, stack: &Stack, output: Output) -> Result<(), Failure> {
    let known = stack.contacts.of_contact(contact).await?;
    let now = stack.clock.now();
    output.say(&number::document(phone, contact, &known, output), |_| number::words(phone, &known, now, site, output));
    Ok(())
}
