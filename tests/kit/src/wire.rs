//! What a story knows of the calls to AWS: how many of each kind there were, and which of them a story lets fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Counts the calls of a client, and lets some of them fail before they leave.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<String, usize>,
    /// Of a hundred calls so many fail.
    failing_percent: u64,
    /// The state of the generator that draws them.
    seed: u64,
}

impl Wire {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls so far by their operation, and begins to count anew.
    #[must_use]
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.state().calls)
    }

    /// From now on so many of a hundred calls fail, drawn from a seed.
    pub fn fail(&self, percent: u64, seed: u64) {
        let mut state = self.state();
        (state.failing_percent, state.seed) = (percent, seed);
    }
}

/// The next number of a sequence that looks random (splitmix64): the same seed gives the same numbers.
pub(crate) fn drawn(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mut state = self.state();
        *state.calls.entry(operation).or_default() += 1;
        let percent = state.failing_percent;
        if percent > 0 && drawn(&mut state.seed) % 100 < percent {
            return Err("the table is too busy, says the story".into());
        }
        Ok(())
    }
}
