//! Tests of the cart notice's time: after the site's interval, or when an operator asks for a resend.

use super::plans::example;
use super::*;
use crate::decision::cart::CartHistory;
use crate::event::EventType;

/// Returns the demo configuration with a mapping for carts, due an hour after they were left.
fn carts() -> LiveConfig {
    with(|config| {
        config.site.cart_interval = 60;
        config.mappings.push(mapping("carts", "cart.abandoned"));
    })
}

/// Returns the outcome of the notice of a cart left some minutes ago.
fn notice(minutes: i64, known: &DecisionContext) -> Result<String, (String, String)> {
    let left_at = now() - SignedDuration::from_mins(minutes);
    let left_at = json!(left_at.to_string());
    let event =
        example(EventType::CartAbandoned, &[("/data/cart/abandoned_at", left_at.clone()), ("/occurred_at", left_at)]);
    outcome_with(&event, &carts(), known)
}

#[test]
fn a_cart_waits_for_the_sites_interval() {
    let waits = Err(("wait: cart_interval".to_owned(), String::new()));
    assert_eq!(notice(0, &DecisionContext::default()), waits);
    assert_eq!(notice(59, &DecisionContext::default()), waits);
    assert!(notice(60, &DecisionContext::default()).is_ok());
    assert!(notice(61, &DecisionContext::default()).is_ok());
}

#[test]
fn an_operator_may_send_a_cart_notice_before_it_is_due() {
    assert!(notice(10, &DecisionContext { send_now: true, ..DecisionContext::default() }).is_ok());
    assert!(notice(10, &DecisionContext { resend_requested_at: Some(now()), ..DecisionContext::default() }).is_ok());
}

#[test]
fn a_resent_cart_notice_ignores_newer_carts_but_not_an_order() {
    let newer = CartHistory { newest: Some(now()), ..CartHistory::default() };
    let closed = CartHistory { closed_at: Some(now()), ..CartHistory::default() };
    let asked = |cart: &CartHistory| DecisionContext {
        resend_requested_at: Some(now()),
        cart: cart.clone(),
        ..DecisionContext::default()
    };
    let unasked = |cart: &CartHistory| DecisionContext { cart: cart.clone(), ..DecisionContext::default() };
    assert_eq!(notice(90, &unasked(&newer)).unwrap_err().0, "not_latest_cart");
    assert!(notice(90, &asked(&newer)).is_ok());
    for known in [unasked(&closed), asked(&closed)] {
        assert_eq!(notice(90, &known).unwrap_err().0, "cancelled");
    }
}
