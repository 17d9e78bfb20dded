//! The signature of a webhook. The first line of an input is the app secret, the second the header, the rest the body.
#![no_main]

use domain::webhook::signature::{is_signed, is_token};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (secret, header) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let body = parts.next().unwrap_or_default();
    let (Ok(secret), Ok(header)) = (str::from_utf8(secret), str::from_utf8(header)) else { return };
    let signature = signature(secret, body);
    assert_eq!(is_signed(secret, body, &signature), !secret.is_empty());
    // Hex digits may have either case. Nothing else of the header may differ.
    let is_right = header.strip_prefix("sha256=").is_some_and(|digits| digits.eq_ignore_ascii_case(&signature[7..]));
    assert_eq!(is_signed(secret, body, header), is_right && !secret.is_empty());
    for changed in changes(body) {
        assert!(!is_signed(secret, &changed, &signature), "a changed body is accepted");
    }
    for at in 0..signature.len() {
        assert!(!is_signed(secret, body, &signature[..at]), "a part of the signature is accepted");
        let other = if signature.as_bytes()[at] == b'0' { "1" } else { "0" };
        let changed = [&signature[..at], other, &signature[at + 1..]].concat();
        assert!(!is_signed(secret, body, &changed), "a changed signature is accepted");
    }
    assert_eq!(is_token(secret, header), secret == header && !secret.is_empty());
    assert_eq!(is_token(secret, secret), !secret.is_empty());
});

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Returns bodies that differ from `body` by one bit, by one byte more, and by one byte less.
fn changes(body: &[u8]) -> Vec<Vec<u8>> {
    let mut changes = vec![[body, b"\n"].concat(), [body, b"\0"].concat()];
    if let Some((last, before)) = body.split_last() {
        changes.push(before.to_vec());
        changes.push([before, &[last ^ 1]].concat());
        let mut flipped = body.to_vec();
        flipped[body.len() / 2] ^= 1 << (last % 8);
        changes.push(flipped);
    }
    changes
}
